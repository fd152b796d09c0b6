"""
The log and its projection as they stand at one moment, streamed: memory does not grow with them.

One REPEATABLE READ transaction that writes nothing, and that no writer waits for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count, groupby
from struct import Struct
from typing import Any, NamedTuple

from psycopg import Connection, IsolationLevel, sql
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.pq import Format
from psycopg.rows import class_row

from inventory.event import Attributes, Event, Recorded
from inventory.verification.chain import Head, Seal
from inventory.verification.columns import SAID, Entry
from inventory.verification.projection import MOMENTARY, NUMBER, VERSION, Row, Rows, Table

# Before anything is read: were a rebuild to put new tables in their place later, this transaction
# would find there only rows that are younger than it.
HOLD_PROJECTION = """
LOCK TABLE
    inventory.contact_center_number,
    inventory.contact_center_number_version,
    inventory.contact_center_number_momentary_version
IN ACCESS SHARE MODE
"""

# A cursor is planned for its first tenth, unless told that all of it will be read.
READ_TO_THE_END = "SET LOCAL cursor_tuple_fraction = 1"

# An account may be gone from one table and still be in another.
ACCOUNTS = """
SELECT account_id FROM inventory.account
UNION SELECT account_id FROM inventory.event
UNION SELECT account_id FROM inventory.seal
UNION SELECT account_id FROM inventory.projection_checkpoint
UNION SELECT account_id FROM inventory.contact_center_number
UNION SELECT account_id FROM inventory.contact_center_number_version
UNION SELECT account_id FROM inventory.contact_center_number_momentary_version
ORDER BY account_id
"""

HEAD = """
SELECT position, head_hash, recorded_at
FROM inventory.account
WHERE account_id = %(account_id)s
"""

# What is archived, as the account's row says it, and as the archives do.
ARCHIVED_UNTIL = """
SELECT
    (SELECT archived_until FROM inventory.account WHERE account_id = %(account_id)s),
    (SELECT max(occurred_until) FROM inventory.archive WHERE account_id = %(account_id)s)
"""

CHECKPOINT = """
SELECT position
FROM inventory.projection_checkpoint
WHERE account_id = %(account_id)s
"""

# What was detached, beside what is left: a row that is in both is the table's, which is in doubt.
WITH_ARCHIVES = sql.SQL("""(
    SELECT * FROM inventory.event
    UNION ALL
    SELECT archived.*
    FROM pg_temp.archived
    WHERE NOT EXISTS (
        SELECT
        FROM inventory.event
        WHERE event.account_id = archived.account_id
          AND event.position = archived.position
    )
) AS event""")
THE_TABLE = sql.SQL("inventory.event")

ENTRIES = sql.SQL("""
SELECT position, recorded_at, origin, payload, payload_sha256, {said}
FROM {log}
WHERE account_id = %(account_id)s
  AND position BETWEEN %(first)s AND %(last)s
ORDER BY position
""")

SEALS = """
SELECT first_position, last_position, sealed_at, source, previous_hash, events_hash, hash
FROM inventory.seal
WHERE account_id = %(account_id)s
  AND last_position BETWEEN %(first)s AND %(last)s
ORDER BY last_position
"""

BY_NUMBER = sql.SQL("""
SELECT phone_number_id, position, event_type, origin, occurred_at, {attributes}
FROM {log}
WHERE account_id = %(account_id)s
  AND position <= %(through)s
ORDER BY phone_number_id, occurred_at, position
""")

PROJECTED = sql.SQL("""
SELECT phone_number_id, {columns}
FROM inventory.{table}
WHERE account_id = %(account_id)s
ORDER BY phone_number_id, {key}
""")

# Fails if some of the log is in an archive that was not given.
WHOLE_LOG = "SELECT inventory.require_whole_log(%(account_id)s)"

EVER = 2**63 - 1
"""A position that no log reaches."""

CHUNK = 2_000
"""Rows fetched at a time."""

Read = Callable[[int], None]
"""Told of how many events were read since it was told last."""


class AccountRow(NamedTuple):
    """What the tables of one row an account say."""

    head: Head | None
    folded: int
    """How far it is projected."""
    archived_until: datetime | None
    """What occurred until then is not appended …"""
    archives_until: datetime | None
    """… since archives hold events until then."""


class Number(NamedTuple):
    """One number: its events as far as they are folded, and its rows in the projection."""

    phone_number_id: str
    log: list[Recorded]
    projected: Rows


@contextmanager
def snapshot(connection: Connection) -> Iterator[None]:
    """
    A transaction that sees one moment; what others write meanwhile it neither sees nor hinders.

    Assumes that no transaction is open. A rebuild of the projection waits until it is over.
    """
    before = connection.isolation_level, connection.read_only
    connection.isolation_level, connection.read_only = IsolationLevel.REPEATABLE_READ, True
    try:
        with connection.transaction():
            connection.execute(HOLD_PROJECTION)
            connection.execute(READ_TO_THE_END)
            yield
    finally:
        connection.isolation_level, connection.read_only = before


def accounts(connection: Connection) -> list[str]:
    """Every account that any table speaks of, in order."""
    return [account_id for (account_id,) in connection.execute(ACCOUNTS)]


def account_row(connection: Connection, account_id: str) -> AccountRow:
    """Where the account's log is said to end, and how far it is folded."""
    cursor = connection.cursor(row_factory=class_row(Head))
    head = cursor.execute(HEAD, {"account_id": account_id}).fetchone()
    checkpoint = connection.execute(CHECKPOINT, {"account_id": account_id}).fetchone()
    until = connection.execute(ARCHIVED_UNTIL, {"account_id": account_id}).fetchone()
    assert until is not None  # noqa: S101 - it has no condition
    return AccountRow(head, checkpoint[0] if checkpoint else 0, *until)


def require_whole_log(connection: Connection, account_id: str | None) -> None:
    """See that the table has all events of the account, or of all; it fails if it has not."""
    connection.execute(WHOLE_LOG, {"account_id": account_id})


def entries(
    connection: Connection,
    account_id: str,
    read: Read,
    *,
    archives: bool = False,
    first: int = 1,
    last: int = EVER,
) -> Iterator[Entry]:
    """
    The account's log from *first* to *last*, in the order of positions.

    With *archives* that of the table and of `pg_temp.archived` together.
    """
    query = ENTRIES.format(
        said=sql.SQL(", ").join(map(sql.Identifier, SAID)),
        log=WITH_ARCHIVES if archives else THE_TABLE,
    )
    wanted = {"account_id": account_id, "first": first, "last": last}
    for row in _stream(connection, query, wanted, read):
        yield Entry(row[0], row[1], row[2], row[3], row[4], row[5:])


def seals(
    connection: Connection, account_id: str, *, first: int = 1, last: int = EVER
) -> Iterator[Seal]:
    """The account's seals that end from *first* to *last*, in the order of their last positions."""
    wanted = {"account_id": account_id, "first": first, "last": last}
    for row in _stream(connection, SEALS, wanted):
        yield Seal(*row)


def numbers(
    connection: Connection, account_id: str, through: int, read: Read, *, archives: bool = False
) -> Iterator[Number]:
    """
    Every number that has events up to *through* or rows in the projection, in order.

    Memory holds one number at a time, however many events it has.
    """
    account = {"account_id": account_id}
    by_number = BY_NUMBER.format(
        attributes=sql.SQL(", ").join(map(sql.Identifier, Attributes._fields)),
        log=WITH_ARCHIVES if archives else THE_TABLE,
    )
    logs = _Grouped(_stream(connection, by_number, account | {"through": through}, read))
    tables = [
        _Grouped(_stream(connection, _projected(table), account))
        for table in (NUMBER, VERSION, MOMENTARY)
    ]
    while waiting := [rows.number for rows in (logs, *tables) if rows.number is not None]:
        number = min(waiting)  # by code points, as collation "C" has them
        log = [_recorded(account_id, row) for row in logs.take(number)]
        projected = Rows(*([row[1:] for row in rows.take(number)] for rows in tables))
        yield Number(number, log, projected)


class _Grouped:
    """Rows that begin with their number and come in its order, a number at a time."""

    def __init__(self, rows: Iterator[Row]) -> None:
        self._groups = groupby(rows, key=lambda row: row[0])
        self._go_on()

    def take(self, number: str) -> Sequence[Row]:
        """The rows of *number*, if it is the next that has any."""
        if number != self.number:
            return ()
        rows = list(self._rows)
        self._go_on()
        return rows

    def _go_on(self) -> None:
        self.number: str | None
        self._rows: Iterator[Row]
        self.number, self._rows = next(self._groups, (None, iter(())))


def _projected(table: Table) -> sql.Composed:
    return PROJECTED.format(
        columns=sql.SQL(", ").join(map(sql.Identifier, table.columns)),
        table=sql.Identifier(table.name),
        key=sql.Identifier(table.key or "phone_number_id"),
    )


def _recorded(account_id: str, row: Row) -> Recorded:
    """The event in *row*, as far as the law looks at it."""
    number, position, event_type, origin, occurred_at, *attributes = row
    event = Event(
        account_id,
        number,
        "",
        event_type,
        origin,
        occurred_at,
        None,
        None,
        Attributes(*attributes),
        "",
        b"",
    )
    return Recorded(position, occurred_at, event)


_names = count()


def _stream(
    connection: Connection,
    query: str | sql.Composed,
    parameters: dict[str, Any],
    read: Read = lambda _: None,
) -> Iterator[Row]:
    """The rows of *query* as plain tuples; the next are fetched while some are looked at."""
    with (
        ThreadPoolExecutor(1, "fetch") as ahead,
        connection.cursor(f"verification_{next(_names)}") as cursor,
    ):
        cursor.format = Format.BINARY
        cursor.adapters.register_loader("timestamptz", _InstantLoader)
        cursor.adapters.register_loader("json", _BytesLoader)
        cursor.execute(query, parameters)
        pending = ahead.submit(cursor.fetchmany, CHUNK)
        while rows := pending.result():
            pending = ahead.submit(cursor.fetchmany, CHUNK)
            yield from rows
            read(len(rows))


class _BytesLoader(Loader):
    """JSON as it is stored, byte for byte."""

    format = Format.BINARY

    def load(self, data: Buffer) -> bytes:
        return bytes(data)


_int8 = Struct(">q").unpack
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_EARLIEST = datetime.min.replace(tzinfo=UTC)
_LATEST = datetime.max.replace(tzinfo=UTC)


class _InstantLoader(Loader):
    """
    An instant; one beyond Python's years, infinity too, is the first or the last of them.

    No payload says such a time, but a hand can write one into a column, and must not stop us.
    """

    format = Format.BINARY

    def load(self, data: Buffer) -> datetime:
        (microseconds,) = _int8(data)
        try:
            return _EPOCH + timedelta(0, 0, microseconds)
        except OverflowError:
            return _EARLIEST if microseconds < 0 else _LATEST
