"""What evidence is gathered from: the log's numbers, seals, heads, and the database's comments."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Connection, RowMapping, func, select, text

from inventory import schema
from inventory.read_model.conditions import equal, within

_event, _seal, _account = schema.event, schema.seal, schema.account
_checkpoint = schema.projection_checkpoint

COMMENTS = """
SELECT
    class.relname || coalesce('.' || attribute.attname, '') AS name, description.description
FROM pg_catalog.pg_description AS description
JOIN pg_catalog.pg_class AS class ON class.oid = description.objoid
LEFT JOIN pg_catalog.pg_attribute AS attribute
    ON attribute.attrelid = class.oid
    AND attribute.attnum = description.objsubid
    AND description.objsubid > 0
WHERE description.classoid = 'pg_catalog.pg_class'::regclass
  AND class.relnamespace = 'inventory'::regnamespace
"""


def numbers_within(
    connection: Connection, since: datetime | None, until: datetime | None, account: str | None
) -> list[tuple[str, str]]:
    """The numbers, as account and id, of events that occurred in [since, until)."""
    rows = connection.execute(
        select(_event.c.account_id, _event.c.phone_number_id)
        .where(*within(_event.c.occurred_at, since, until), *equal(_event, account_id=account))
        .distinct()
        .order_by(_event.c.account_id, _event.c.phone_number_id)
    )
    return [(row.account_id, row.phone_number_id) for row in rows]


def now(connection: Connection) -> datetime:
    """When the transaction began."""
    at: datetime = connection.execute(select(func.now())).scalar_one()
    return at


def heads(connection: Connection) -> list[tuple[str, int, bytes]]:
    """Every account's head: its id, position and hash."""
    rows = connection.execute(
        select(_account.c.account_id, _account.c.position, _account.c.head_hash).order_by(
            _account.c.account_id
        )
    )
    return [(row.account_id, row.position, row.head_hash) for row in rows]


def unfolded(connection: Connection, account: str | None) -> int:
    """How many events are not projected yet."""
    found = connection.execute(
        select(
            func.coalesce(
                func.sum(_account.c.position - func.coalesce(_checkpoint.c.position, 0)), 0
            )
        )
        .select_from(
            _account.outerjoin(_checkpoint, _account.c.account_id == _checkpoint.c.account_id)
        )
        .where(*equal(_account, account_id=account))
    )
    return int(found.scalar_one())


def seals(connection: Connection, account_id: str, position: int) -> Iterator[RowMapping]:
    """The seals of *account_id* from the one over *position* on, up to the head."""
    query = (
        select(_seal)
        .where(_seal.c.account_id == account_id, _seal.c.last_position >= position)
        .order_by(_seal.c.last_position)
    )
    yield from connection.execute(query, execution_options={"yield_per": 1000}).mappings()


def payload_hashes(connection: Connection, account_id: str, first: int, last: int) -> bytes:
    """`payload_sha256` of each event from *first* to *last*, in order."""
    found = connection.execute(
        select(_event.c.payload_sha256)
        .where(_event.c.account_id == account_id, _event.c.position.between(first, last))
        .order_by(_event.c.position)
    )
    return b"".join(found.scalars())


def comments(connection: Connection) -> dict[str, str]:
    """What the database says of its tables, views and columns, by `table` or `table.column`."""
    return {row.name: row.description for row in connection.execute(text(COMMENTS))}
