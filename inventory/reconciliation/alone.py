"""
One at a time for an account, whether by schedule, by hand or by cron.

Whoever runs holds a lock with its connection, the very one it appends over: who has lost the one
can do nothing with the other. A row that says begun and not ended, while its account's lock is
free, is a run that crashed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from psycopg import Connection

from inventory.errors import InventoryError

TRY_ALONE = """
SELECT pg_try_advisory_lock(hashtextextended('inventory reconciliation ' || %(account_id)s, 0))
"""
NO_LONGER_ALONE = """
SELECT pg_advisory_unlock(hashtextextended('inventory reconciliation ' || %(account_id)s, 0))
"""

UNDER_WAY = """
SELECT id, started_at
FROM inventory.reconciliation
WHERE account_id = %(account_id)s
  AND started_at IS NOT NULL AND finished_at IS NULL AND answered_by IS NULL
ORDER BY id DESC
LIMIT 1
"""


class UnderWay(InventoryError):
    """Another reconciliation of the account has not ended."""

    def __init__(self, account_id: str, id: int | None, since: datetime | None) -> None:  # noqa: A002
        run = "another" if id is None or since is None else f"run {id}, since {since.isoformat()}"
        super().__init__(
            f"expected no other reconciliation of account {account_id}, found {run}; try again "
            "when it has ended"
        )
        self.id = id


@contextmanager
def alone(connection: Connection, account_id: str) -> Iterator[None]:
    """
    Be the only one to reconcile *account_id*. Expects a connection in autocommit mode.

    Raises:
        UnderWay: Somebody else is.
    """
    account = {"account_id": account_id}
    if connection.execute(TRY_ALONE, account).fetchone() != (True,):
        raise UnderWay(
            account_id, *(connection.execute(UNDER_WAY, account).fetchone() or (None, None))
        )
    try:
        yield
    finally:
        if not connection.broken:
            connection.execute(NO_LONGER_ALONE, account)
