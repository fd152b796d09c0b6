"""What stands for all that the log and the projection hold."""

from __future__ import annotations

from hashlib import sha256

from sqlalchemy import Connection, select

from inventory import schema
from inventory.read_model.conditions import equal

_account = schema.account
_checkpoint = schema.projection_checkpoint


def state(connection: Connection, *, account: str | None = None) -> bytes:
    """
    32 bytes that differ whenever a read of log or projection, in the same snapshot, could.

    An append moves an account's head and its hash, a fold or a rebuild its checkpoint; nothing else
    writes there. One row an account is read.
    """
    heads = connection.execute(
        select(
            _account.c.account_id,
            _account.c.position,
            _account.c.head_hash,
            _checkpoint.c.position,
            _checkpoint.c.folded_at,
        )
        .outerjoin_from(_account, _checkpoint, _checkpoint.c.account_id == _account.c.account_id)
        .where(*equal(_account, account_id=account))
        .order_by(_account.c.account_id)
    )
    return sha256(repr([tuple(head) for head in heads]).encode()).digest()
