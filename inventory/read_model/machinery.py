"""What the machinery stands at: the heads of the logs, and the server's version."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Select, func, select

from inventory import schema

_account = schema.account


def accounts() -> Select[Any]:
    """The head of each account's log."""
    return select(_account).order_by(_account.c.account_id)


def server_version(connection: Connection) -> str:
    """PostgreSQL's version, as it says it."""
    return str(connection.execute(select(func.current_setting("server_version"))).scalar_one())
