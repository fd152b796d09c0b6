"""Reconciliation runs."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, select

from inventory import schema
from inventory.read_model.conditions import equal

_run = schema.reconciliation


def reconciliations(
    *, account: str | None = None, outcome: str | None = None, limit: int | None = None
) -> Select[Any]:
    """Runs that were made, are being made or were asked for; latest first."""
    return (
        select(_run)
        .where(*equal(_run, account_id=account, outcome=outcome))
        .order_by(_run.c.id.desc())
        .limit(limit)
    )
