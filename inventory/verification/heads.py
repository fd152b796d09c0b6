"""The heads of the logs, to be noted where nobody who rewrites a log can reach them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, func, select

from inventory.schema import account as _account


def heads(*, account: str | None = None) -> Select[Any]:
    """Each account's head, with the hash that stands for all before it, and the time it is read."""
    wanted = [] if account is None else [_account.c.account_id == account]
    return (
        select(
            _account.c.account_id,
            _account.c.position,
            _account.c.head_hash,
            func.now().label("at"),
        )
        .where(*wanted)
        .order_by(_account.c.account_id)
    )
