"""Ranges of the log that are in archives."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, select

from inventory import schema
from inventory.read_model.conditions import equal

_archive = schema.archive


def archives(*, account: str | None = None) -> Select[Any]:
    """The ranges that are detached, by account and position."""
    return (
        select(_archive)
        .where(*equal(_archive, account_id=account))
        .order_by(_archive.c.account_id, _archive.c.last_position)
    )
