"""
The log: appending events to their accounts, each in its place, under a seal.

Lock, write, seal. An account's row is locked first, so that positions are dense and in commit
order: whoever remembers a position never misses an event. Events that are there already are looked
up under the same lock, unless there are believed to be none; the rest goes in by COPY, under one
seal.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

from psycopg import Connection
from psycopg.errors import InternalError_, UniqueViolation
from psycopg.rows import class_row

from inventory import event_row
from inventory.errors import InventoryError
from inventory.event import Event
from inventory.notification import same_content

_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00Z")
_MICROSECOND = timedelta(microseconds=1)

OPEN_ACCOUNT = """
INSERT INTO inventory.account (account_id, head_hash)
VALUES (%(account_id)s, %(head_hash)s)
ON CONFLICT (account_id) DO NOTHING
"""

# The clock is read outside the locking query: inside, it would be read before the wait. Until when
# there are archives stands in the locked row: of another table we would see how it was before.
LOCK_ACCOUNT = """
WITH head AS MATERIALIZED (
    SELECT position, head_hash, recorded_at, archived_until
    FROM inventory.account
    WHERE account_id = %(account_id)s
    FOR UPDATE
)
SELECT position, head_hash AS hash, greatest(clock_timestamp(), recorded_at) AS now,
    archived_until
FROM head
"""

# LATERAL and LIMIT keep the planner to one index probe a key, whatever it believes of the table.
PROBE = """
SELECT probe.ordinal - 1 AS ordinal, recorded.payload_sha256, recorded.payload
FROM unnest(%(phone_number_ids)s::text[], %(event_uuids)s::text[])
    WITH ORDINALITY AS probe (phone_number_id, event_uuid, ordinal)
CROSS JOIN LATERAL (
    SELECT event.payload_sha256, event.payload::text AS payload
    FROM inventory.event
    WHERE event.account_id = %(account_id)s
      AND event.phone_number_id = probe.phone_number_id COLLATE "C"
      AND event.event_uuid = probe.event_uuid COLLATE "C"
    LIMIT 1
) AS recorded
"""

COPY_EVENTS = f"COPY inventory.event ({event_row.COLUMNS}) FROM STDIN (FORMAT BINARY)"

SEAL = """
WITH sealed AS (
    INSERT INTO inventory.seal (
        account_id, first_position, last_position, sealed_at, source,
        previous_hash, events_hash, hash
    ) VALUES (
        %(account_id)s, %(first_position)s, %(last_position)s, %(sealed_at)s, %(source)s,
        %(previous_hash)s, %(events_hash)s, %(hash)s
    )
)
UPDATE inventory.account
SET position = %(last_position)s, head_hash = %(hash)s, recorded_at = %(sealed_at)s
WHERE account_id = %(account_id)s
"""


class Repeated(InventoryError):
    """An event of the batch is in the log already, so that nothing of the batch was appended."""

    def __init__(self, account_id: str) -> None:
        super().__init__(f"expected events that are new to account {account_id}, found one again")
        self.account_id = account_id


class Archived(InventoryError):
    """An event is older than what was archived, so that nobody can tell what follows from it."""

    def __init__(self, event: Event, until: datetime) -> None:
        super().__init__(
            f"expected events of account {event.account_id} after {until.isoformat()}, until when "
            f"its log is archived, found one of {event.occurred_at.isoformat()}; "
            "`inventory archive restore` first"
        )
        self.event, self.until = event, until


class Conflict(NamedTuple):
    """An event whose key is taken by one that says something else."""

    event: Event
    payload_sha256: bytes
    """Of the event that has the key."""


@dataclass(slots=True)
class Appended:
    """What became of the events handed to an append."""

    appended: int = 0
    duplicates: int = 0
    """Same key, same content: in the log already."""
    conflicts: list[Conflict] = field(default_factory=list)
    """Same key, other content: not in the log."""
    archived: list[Archived] = field(default_factory=list)
    """Older than what was archived: not in the log, or in what is archived of it."""


class Head(NamedTuple):
    """The end of an account's log, and the time, under the account's lock."""

    position: int
    hash: bytes
    now: datetime
    archived_until: datetime | None
    """What occurred until then cannot be appended; null: anything can."""


class Prepared(NamedTuple):
    """Events of one account, ready to be written: all work that needs no lock is done."""

    account_id: str
    events: list[Event]
    rows: list[bytes]
    """Each event as a row for COPY, less its place."""


class Batch(NamedTuple):
    """Events ready to be appended, by account, and what the batch itself ruled out."""

    accounts: list[Prepared]
    """In the order of their ids, so that no two writers wait for each other in a circle."""
    duplicates: int
    conflicts: list[Conflict]


def genesis(account_id: str) -> bytes:
    """The head hash of an account's empty log: 32 bytes."""
    return sha256(account_id.encode()).digest()


def seal_hash(
    previous_hash: bytes,
    first_position: int,
    last_position: int,
    sealed_at: datetime,
    events_hash: bytes,
    source: str,
) -> bytes:
    """
    The hash that seals a batch, chained to the one before it: 32 bytes.

    Beyond the payloads it covers their positions, when we recorded them and from where: *known at*
    is evidence too. SQL computes the same with `sha256`, `int8send`, `convert_to` and `||`.
    """
    microseconds = (sealed_at - _EPOCH) // _MICROSECOND
    return sha256(
        previous_hash
        + first_position.to_bytes(8, "big", signed=True)
        + last_position.to_bytes(8, "big", signed=True)
        + microseconds.to_bytes(8, "big", signed=True)
        + events_hash
        + source.encode()
    ).digest()


def prepare(events: Iterable[Event]) -> Batch:
    """
    Sort *events* by account, drop what repeats within them, and render the rest for COPY.

    Needs no connection, so that it can be done while another batch is being written.
    """
    kept, duplicates, conflicts = _once(list(events))
    accounts: defaultdict[str, list[Event]] = defaultdict(list)
    for event in kept:
        accounts[event[0]].append(event)
    return Batch(
        [
            Prepared(account_id, events_, [event_row.unplaced(event) for event in events_])
            for account_id, events_ in sorted(accounts.items())
        ],
        duplicates,
        conflicts,
    )


def _once(events: list[Event]) -> tuple[list[Event], int, list[Conflict]]:
    """Each event once, how many are left out for it, and those that say something else."""
    if len({event.event_uuid for event in events}) == len(events):
        return events, 0, []
    kept: dict[tuple[str, str, str], Event] = {}
    duplicates = 0
    conflicts: list[Conflict] = []
    for event in events:
        taken = kept.get(event[:3])
        if taken is None:
            kept[event[:3]] = event
        elif _same(event, taken.payload_sha256, taken.payload):
            duplicates += 1
        else:
            conflicts.append(Conflict(event, taken.payload_sha256))
    return list(kept.values()), duplicates, conflicts


def append(connection: Connection, batch: Batch, *, source: str, repeats: bool = True) -> Appended:
    """
    Append *batch* to its accounts' logs and return what became of each event.

    *source* says where all of it came from, and is sealed with it: `webhook`, `file:NAME`, …

    Positions are dense and in commit order per account: the account's row is locked before
    anything is read, and held until the caller ends the transaction. Assumes READ COMMITTED, and
    that nothing else was done in this transaction that another writer could wait for.

    Whoever says that there are no *repeats* has none looked for, which is quicker, and hears of
    one from the unique index, when the transaction is lost.

    What is older than an archive that was detached is not appended, but named.

    Raises:
        Repeated: There were to be no repeats, and there is one.
    """
    outcome = Appended(duplicates=batch.duplicates, conflicts=list(batch.conflicts))
    for prepared in batch.accounts:
        head = lock(connection, prepared.account_id)
        until = head.archived_until
        late = until is not None and any(event.occurred_at <= until for event in prepared.events)
        fresh = _unrecorded(connection, prepared, outcome) if repeats or late else prepared
        if until is not None and late:
            fresh = _after(until, fresh, outcome)
        try:
            outcome.appended += _write(connection, head, fresh, source)
        except (UniqueViolation, InternalError_):
            # Through Citus, whatever a worker has against a COPY is an internal error. If it was
            # no repeat, it will be there again when repeats have been looked for.
            if repeats:
                raise
            raise Repeated(prepared.account_id) from None
    return outcome


def lock(connection: Connection, account_id: str) -> Head:
    """The end of the account's log, which nobody else can move until the transaction ends."""
    cursor = connection.cursor(row_factory=class_row(Head))
    head = cursor.execute(LOCK_ACCOUNT, {"account_id": account_id}).fetchone()
    if head is None:
        cursor.execute(OPEN_ACCOUNT, {"account_id": account_id, "head_hash": genesis(account_id)})
        head = cursor.execute(LOCK_ACCOUNT, {"account_id": account_id}).fetchone()
        assert head is not None  # noqa: S101 - nothing deletes an account
    return head


def _write(connection: Connection, head: Head, prepared: Prepared, source: str) -> int:
    """Write events behind *head*, seal them and move it; returns how many."""
    account_id, events, rows = prepared
    if not events:
        return 0
    first, last = head.position + 1, head.position + len(events)
    with connection.cursor().copy(COPY_EVENTS) as copy:
        copy.write(event_row.placed(rows, first, head.now))
    events_hash = sha256(b"".join([event.payload_sha256 for event in events])).digest()
    seal = {
        "account_id": account_id,
        "first_position": first,
        "last_position": last,
        "sealed_at": head.now,
        "source": source,
        "previous_hash": head.hash,
        "events_hash": events_hash,
        "hash": seal_hash(head.hash, first, last, head.now, events_hash, source),
    }
    connection.execute(SEAL, seal)
    return len(events)


def _unrecorded(connection: Connection, prepared: Prepared, outcome: Appended) -> Prepared:
    """The events whose keys are free; the others are counted in *outcome*."""
    account_id, events, rows = prepared
    taken: set[int] = set()
    for ordinal, payload_sha256, payload in connection.execute(
        PROBE,
        {
            "account_id": account_id,
            "phone_number_ids": _array([event.phone_number_id for event in events]),
            "event_uuids": _array([event.event_uuid for event in events]),
        },
        # Planned anew each time: a plan kept from when the table was small reads all of a number.
        prepare=False,
    ):
        taken.add(ordinal)
        event = events[ordinal]
        if _same(event, payload_sha256, payload):
            outcome.duplicates += 1
        else:
            outcome.conflicts.append(Conflict(event, payload_sha256))
    free = [at for at in range(len(events)) if at not in taken]
    return Prepared(account_id, [events[at] for at in free], [rows[at] for at in free])


def _after(until: datetime, prepared: Prepared, outcome: Appended) -> Prepared:
    """
    The events that occurred after *until*; the others are named in *outcome*.

    One that occurred before then may be in the archive already, and what would have to be folded
    behind it is there.
    """
    account_id, events, rows = prepared
    late = [at for at, event in enumerate(events) if event.occurred_at <= until]
    outcome.archived += [Archived(events[at], until) for at in late]
    left_out = set(late)
    free = [at for at in range(len(events)) if at not in left_out]
    return Prepared(account_id, [events[at] for at in free], [rows[at] for at in free])


def _array(texts: list[str]) -> str:
    """A PostgreSQL array literal: made of thousands of texts at once, where a driver takes each."""
    if any('"' in text or "\\" in text for text in texts):
        texts = [text.replace("\\", "\\\\").replace('"', '\\"') for text in texts]
    return '{"' + '","'.join(texts) + '"}'


def _same(event: Event, payload_sha256: bytes, payload: str) -> bool:
    """Whether *event* says what the recorded payload says: byte for byte, or else as JSON."""
    return event.payload_sha256 == payload_sha256 or same_content(event.payload, payload)
