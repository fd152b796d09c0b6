"""The inventory's side of a comparison: what is held, and what has just been touched."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from psycopg import Connection, IsolationLevel
from psycopg.rows import class_row

from inventory.drift import Held
from inventory.event import Attributes

FOLDED = """
SELECT head, projected_position
FROM inventory.freshness
WHERE account_id = %(account_id)s
"""

HELD = """
SELECT
    phone_number, payment_type, location, number_type, usage_type, status,
    provider_id, provider_name, uri, phone_number_id, unverified_since IS NOT NULL
FROM inventory.contact_center_number
WHERE account_id = %(account_id)s
"""

# Three ways to be newer than what is compared: it happened after the read had begun, we were told
# after that, or the inventory does not show it yet. LATERAL: one probe of the index a number.
LATEST = """
SELECT
    asked.phone_number_id, latest.origin, latest.event_type,
    EXISTS (
        SELECT
        FROM inventory.event
        WHERE event.account_id = %(account_id)s
          AND event.phone_number_id = asked.phone_number_id COLLATE "C"
          AND (
              event.occurred_at >= %(since)s
              OR event.recorded_at >= %(since)s
              OR event.position > %(compared)s
          )
    ) AS touched
FROM unnest(%(phone_number_ids)s::text[]) AS asked (phone_number_id)
CROSS JOIN LATERAL (
    SELECT event.origin, event.event_type
    FROM inventory.event
    WHERE event.account_id = %(account_id)s
      AND event.phone_number_id = asked.phone_number_id COLLATE "C"
    ORDER BY event.occurred_at DESC, event.position DESC
    LIMIT 1
) AS latest
"""


class Side(NamedTuple):
    """An account's inventory, as it stood at one moment."""

    numbers: dict[str, Held]
    position: int
    """Up to where its log is folded into that."""
    lag: int
    """Events in its log that are not."""


class Latest(NamedTuple):
    """The latest event of a number, as far as it matters here."""

    phone_number_id: str
    origin: str
    event_type: str
    touched: bool
    """Whether there is an event newer than what is compared: the comparison is to leave it."""


def side_of(connection: Connection, account_id: str) -> Side:
    """
    The account's inventory. Expects a connection in autocommit mode.

    One snapshot, as a fold between the two statements would move the position but not the rows.
    """
    before = connection.isolation_level
    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    try:
        with connection.transaction():
            account = {"account_id": account_id}
            head, position = connection.execute(FOLDED, account).fetchone() or (0, 0)
            numbers = {
                row[9]: Held(Attributes(*row[:9]), row[10])
                for row in connection.execute(HELD, account)
            }
    finally:
        connection.isolation_level = before
    return Side(numbers, position, head - position)


def latest(
    connection: Connection,
    account_id: str,
    phone_number_ids: Iterable[str],
    *,
    since: datetime,
    compared: int,
) -> dict[str, Latest]:
    """
    The latest event of each number that has one.

    Args:
        connection: Any.
        account_id: Digits.
        phone_number_ids: Which.
        since: When the read that they are compared with had begun.
        compared: Position up to which the inventory that is compared was folded.
    """
    cursor = connection.cursor(row_factory=class_row(Latest))
    cursor.execute(
        LATEST,
        {
            "account_id": account_id,
            "phone_number_ids": list(phone_number_ids),
            "since": since,
            "compared": compared,
        },
        prepare=False,  # planned for as many as there are
    )
    return {row.phone_number_id: row for row in cursor}
