"""Folding what was appended since the checkpoint, one account at a time."""

from __future__ import annotations

from typing import NamedTuple

from psycopg import Connection

from inventory.projector import statements

LAGGING = """
SELECT account.account_id
FROM inventory.account
LEFT JOIN inventory.projection_checkpoint AS checkpoint USING (account_id)
WHERE account.position > coalesce(checkpoint.position, 0)
ORDER BY account.account_id
"""

OPEN_CHECKPOINT = """
INSERT INTO inventory.projection_checkpoint (account_id)
VALUES (%(account_id)s)
ON CONFLICT (account_id) DO NOTHING
"""

IS_OPEN = """
SELECT
FROM inventory.projection_checkpoint
WHERE account_id = %(account_id)s
"""

CLAIM = """
SELECT position
FROM inventory.projection_checkpoint
WHERE account_id = %(account_id)s
FOR UPDATE SKIP LOCKED
"""

# Read without a lock: what is appended meanwhile is the next fold's.
HEAD = """
SELECT position
FROM inventory.account
WHERE account_id = %(account_id)s
"""

# From nothing, it takes all there ever was.
WHOLE_LOG = "SELECT inventory.require_whole_log(%(account_id)s)"

MOVE_CHECKPOINT = """
UPDATE inventory.projection_checkpoint
SET position = %(through)s, folded_at = statement_timestamp()
WHERE account_id = %(account_id)s
"""

# The fold of a whole account sorts it, and the default 4 MB would send the sort to disk. Only as
# long as the transaction lasts.
ROOM_TO_SORT = "SET LOCAL work_mem = '256MB'"


class Folded(NamedTuple):
    """What a fold did."""

    account_id: str
    after: int
    """The checkpoint before: the events after it were folded …"""
    through: int
    """… up to this one."""

    @property
    def events(self) -> int:
        return self.through - self.after


def lagging(connection: Connection) -> list[str]:
    """The accounts whose log is longer than what is folded of it, in order of their ids."""
    return [account_id for (account_id,) in connection.execute(LAGGING)]


def fold(connection: Connection, account_id: str) -> Folded | None:
    """
    Fold the events of *account_id* after its checkpoint, in the caller's transaction.

    Null if another projector has the account. Assumes READ COMMITTED and a transaction of its own.
    """
    claimed = _claim(connection, account_id)
    head = connection.execute(HEAD, {"account_id": account_id}).fetchone()
    if claimed is None or head is None:
        return None
    folded = Folded(account_id, after=claimed[0], through=head[0])
    if folded.events:
        parameters = folded._asdict()
        if folded.after == 0:
            connection.execute(WHOLE_LOG, parameters)
            connection.execute(ROOM_TO_SORT)
            connection.execute(statements.FOLD_VERSIONS, parameters)
            connection.execute(statements.FOLD_NUMBERS, parameters)
        else:
            connection.execute(statements.REWIND, parameters)
            connection.execute(statements.REFOLD_VERSIONS, parameters)
            connection.execute(statements.FORGET_DEPARTED, parameters)
            connection.execute(statements.REFOLD_NUMBERS, parameters)
        connection.execute(MOVE_CHECKPOINT, parameters)
    return folded


def _claim(connection: Connection, account_id: str) -> tuple[int] | None:
    """
    The account's checkpoint, locked; null if another projector has it.

    Opened only where there is none: an INSERT, even one that does nothing on conflict, would wait
    for the projector that is about to move the row.
    """
    account = {"account_id": account_id}
    claimed = connection.execute(CLAIM, account).fetchone()
    if claimed is None and connection.execute(IS_OPEN, account).fetchone() is None:
        connection.execute(OPEN_CHECKPOINT, account)
        claimed = connection.execute(CLAIM, account).fetchone()
    return claimed
