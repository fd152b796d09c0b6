"""Reading notifications and writing them, one batch after the other."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import psycopg
from psycopg import Connection

from inventory import event_log, quarantine
from inventory.errors import InventoryError
from inventory.event import Event
from inventory.event_log import Batch
from inventory.ingest.framing import ITEM_LIMIT, Truncated
from inventory.notification import Rejection, parse
from inventory.quarantine import Quarantined

BATCH = 5_000
"""Notifications a transaction at most; larger ones are hardly faster."""
SMALLEST_BATCH = 250
BATCH_BYTES = 8 << 20
"""Bytes that all of them together begin a transaction with; some 5,000 usual ones have a third."""
HOLD = 0.1
"""
Seconds that a transaction is to take. It holds its accounts' rows for so long, and a webhook has to
wait for its turn; where PostgreSQL is slow, or busy, batches get smaller.
"""


@dataclass(slots=True)
class Outcome:
    """What became of what was taken in."""

    appended: int = 0
    duplicates: int = 0
    quarantined: int = 0

    @property
    def total(self) -> int:
        return self.appended + self.duplicates + self.quarantined

    def __iadd__(self, other: Outcome) -> Outcome:
        self.appended += other.appended
        self.duplicates += other.duplicates
        self.quarantined += other.quarantined
        return self


class Read(NamedTuple):
    """A batch, read: what may be appended, and what goes to quarantine."""

    events: list[Event]
    batch: Batch
    quarantined: list[Quarantined]


class Intake:
    """
    Takes notifications in from one source.

    Args:
        source: What quarantine says of where an item came from.
        account_id: The account of notifications that name none.
        future_tolerance: How far ahead of our clock a timestamp may lie.
        numbered: Whether an item's place in the source says which it is, as in a file.
    """

    def __init__(
        self,
        source: str,
        *,
        account_id: str | None,
        future_tolerance: timedelta,
        numbered: bool = False,
    ) -> None:
        self._source = source
        self._numbered = numbered
        self._account_id = account_id
        self._future_tolerance = future_tolerance
        self._taken = 0
        self._batch = BATCH
        self._repeats = False

    def read(self, payloads: Iterable[bytes]) -> Read:
        """*payloads*, sorted into events and what cannot be one. Needs no database."""
        latest = datetime.now(UTC) + self._future_tolerance
        account_id = self._account_id
        events: list[Event] = []
        quarantined: list[Quarantined] = []
        for payload in payloads:
            self._taken += 1
            found = parse(payload, latest=latest, account_id=account_id)
            if isinstance(found, Event):
                events.append(found)
            else:
                quarantined.append(self._rejected(payload, found))
        return Read(events, event_log.prepare(events), quarantined)

    def write(self, connection: Connection, read: Read) -> Outcome:
        """Append and quarantine what was *read*, in one transaction."""
        for repeats in dict.fromkeys((self._repeats, True)):
            try:
                with connection.transaction():
                    return self._write(connection, read, repeats=repeats)
            except event_log.Repeated:
                continue
            except psycopg.DataError:
                break
        # PostgreSQL refused something that our own reading let pass: find out what it is, so that
        # it does not stop the rest.
        with connection.transaction():
            return self._write_one_by_one(connection, read)

    def run(
        self,
        connection: Connection,
        payloads: Iterable[Sequence[bytes]],
        written: Callable[[Outcome], None],
    ) -> None:
        """
        Take in *payloads*, reading the next batch while PostgreSQL writes the last.

        *written* is told of each batch after its commit, never before. What is being written when
        an error or an interrupt arrives is finished and told of.
        """
        pending: Future[Outcome] | None = None
        with _two_threads_at_full_speed(), ThreadPoolExecutor(1, "write") as writer:
            try:
                for batch in self._batches(payloads):
                    read = self.read(batch)
                    if pending is not None:
                        outcome, pending = pending.result(), None
                        written(outcome)
                    pending = writer.submit(self._write_in_time, connection, read)
            finally:
                if pending is not None:
                    written(pending.result())

    def _batches(self, payloads: Iterable[Sequence[bytes]]) -> Iterator[list[bytes]]:
        """The payloads in lists of what is a batch now; all that came before an error, too."""
        waiting: list[bytes] = []
        length = 0
        try:
            for some in payloads:
                for payload in some:
                    waiting.append(payload)
                    length += len(payload)
                    if len(waiting) >= self._batch or length >= BATCH_BYTES:
                        yield waiting
                        waiting, length = [], 0
        except InventoryError:
            if waiting:
                yield waiting
            raise
        if waiting:
            yield waiting

    def _write_in_time(self, connection: Connection, read: Read) -> Outcome:
        """Write what was *read*, and learn how much of it is a batch."""
        begun = time.monotonic()
        outcome = self.write(connection, read)
        fitting = int(outcome.total * HOLD / max(time.monotonic() - begun, 1e-6))
        self._batch = min(max(fitting, SMALLEST_BATCH), BATCH)
        return outcome

    def _write(self, connection: Connection, read: Read, *, repeats: bool) -> Outcome:
        appended = event_log.append(connection, read.batch, source=self._source, repeats=repeats)
        # A file that is taken in again goes on repeating what is there.
        self._repeats = appended.duplicates > 0
        conflicts = [self._conflict(conflict) for conflict in appended.conflicts]
        archived = [self._archived(older) for older in appended.archived]
        quarantined = [*read.quarantined, *conflicts, *archived]
        quarantine.put(connection, quarantined)
        return Outcome(appended.appended, appended.duplicates, len(quarantined))

    def _write_one_by_one(self, connection: Connection, read: Read) -> Outcome:
        nothing = event_log.prepare([])
        outcome = self._write(connection, read._replace(batch=nothing), repeats=True)
        for event in read.events:
            alone = Read([event], event_log.prepare([event]), [])
            try:
                with connection.transaction():
                    outcome += self._write(connection, alone, repeats=True)
            except psycopg.DataError as error:
                refused = Quarantined(
                    self._source,
                    "invalid_notification",
                    f"PostgreSQL refused it: {error.diag.message_primary}",
                    event.payload.encode(),
                )
                quarantine.put(connection, [refused])
                outcome.quarantined += 1
        return outcome

    def _rejected(self, payload: bytes, rejection: Rejection) -> Quarantined:
        detail = rejection.detail
        if isinstance(payload, Truncated):
            detail = (
                f"expected at most {ITEM_LIMIT} bytes, got {payload.length} "
                f"of SHA-256 {payload.sha256}; only the first {len(payload)} are kept here"
            )
        source = f"{self._source}#{self._taken}" if self._numbered else self._source
        return Quarantined(source, rejection.reason, detail, bytes(payload))

    def _conflict(self, conflict: event_log.Conflict) -> Quarantined:
        event = conflict.event
        return Quarantined(
            self._source,
            "uuid_conflict",
            f"account {event.account_id}, number {event.phone_number_id}, uuid {event.event_uuid}: "
            f"taken by an event with another payload, SHA-256 {conflict.payload_sha256.hex()}",
            event.payload.encode(),
        )

    def _archived(self, older: event_log.Archived) -> Quarantined:
        return Quarantined(self._source, "archived", str(older), older.event.payload.encode())


@contextmanager
def _two_threads_at_full_speed() -> Iterator[None]:
    """
    What this process can do to let one thread read while the other writes.

    The writer waits for PostgreSQL every 128 KiB, and then for the interpreter, which the reader
    gives up only when asked: at the default of 5 ms PostgreSQL idles a third of the time. Cyclic
    garbage collection takes a tenth of it and finds nothing: plain tuples go when the batch does.
    """
    interval, collecting = sys.getswitchinterval(), gc.isenabled()
    sys.setswitchinterval(0.0001)
    gc.disable()
    try:
        yield
    finally:
        sys.setswitchinterval(interval)
        if collecting:
            gc.enable()
