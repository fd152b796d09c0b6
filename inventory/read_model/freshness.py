"""How current the inventory is."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, MetaData, Select, Table, select

from inventory import schema

# The view, as the migrations make it.
_freshness = Table(
    "freshness",
    MetaData(schema=schema.NAME),
    *(Column(name) for name in ("account_id", "head", "projected_position", "lag_events")),
    *(Column(name) for name in ("lag_seconds", "last_notification_at")),
    *(Column(name) for name in ("last_reconciliation_at", "open_quarantine")),
)


def freshness() -> Select[Any]:
    """How current each account's inventory is."""
    return select(_freshness).order_by(_freshness.c.account_id)
