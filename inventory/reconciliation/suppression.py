"""Discrepancies that are known, and are to be left as they are for a while."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from psycopg import Connection
from psycopg.rows import class_row

IN_FORCE = """
SELECT DISTINCT ON (phone_number_id) id, phone_number_id, expires_at, reason
FROM inventory.suppression
WHERE account_id = %(account_id)s
  AND lifted_at IS NULL
  AND expires_at > %(now)s
ORDER BY phone_number_id, expires_at DESC
"""

SUPPRESS = """
INSERT INTO inventory.suppression (account_id, phone_number_id, expires_at, reason)
VALUES (%(account_id)s, %(phone_number_id)s, %(expires_at)s, %(reason)s)
"""

LIFT = """
UPDATE inventory.suppression
SET lifted_at = statement_timestamp()
WHERE account_id = %(account_id)s
  AND phone_number_id = %(phone_number_id)s
  AND lifted_at IS NULL
  AND expires_at > statement_timestamp()
"""


class Suppression(NamedTuple):
    """A number whose differences are known."""

    id: int
    phone_number_id: str
    expires_at: datetime
    reason: str


def in_force(connection: Connection, account_id: str, now: datetime) -> dict[str, Suppression]:
    """The suppressions of an account that have not ended, by the number's id."""
    cursor = connection.cursor(row_factory=class_row(Suppression))
    found = cursor.execute(IN_FORCE, {"account_id": account_id, "now": now})
    return {each.phone_number_id: each for each in found}


def suppress(
    connection: Connection,
    account_id: str,
    phone_number_id: str,
    *,
    expires_at: datetime,
    reason: str,
) -> None:
    """Leave the number as it is here, whatever another list says of it, until *expires_at*."""
    connection.execute(
        SUPPRESS,
        {
            "account_id": account_id,
            "phone_number_id": phone_number_id,
            "expires_at": expires_at,
            "reason": reason,
        },
    )


def lift(connection: Connection, account_id: str, phone_number_id: str) -> int:
    """End the suppressions of a number that are in force; returns how many."""
    number = {"account_id": account_id, "phone_number_id": phone_number_id}
    return connection.execute(LIFT, number).rowcount
