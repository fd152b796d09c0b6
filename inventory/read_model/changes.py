"""What changed, and what moved."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, MetaData, Select, Table, select

from inventory import schema
from inventory.read_model.conditions import equal, within

# The views, as the migrations make them.
_views = MetaData(schema=schema.NAME)
_CHANGE_COLUMNS = (
    *("account_id", "phone_number_id", "phone_number", "changed_at", "kind"),
    *("from_provider_id", "from_provider_name", "to_provider_id", "to_provider_name"),
    *("position", "origin"),
)
_change = Table("change", _views, *(Column(name) for name in _CHANGE_COLUMNS))
_reassignment = Table("reassignment", _views, *(Column(name) for name in _CHANGE_COLUMNS))


def changes(
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    kind: Sequence[str] = (),
    account: str | None = None,
    limit: int | None = None,
) -> Select[Any]:
    """Changes in [since, until), latest first."""
    wanted = within(_change.c.changed_at, since, until)
    if kind:
        wanted.append(_change.c.kind.in_(kind))
    return (
        select(_change)
        .where(*wanted, *equal(_change, account_id=account))
        .order_by(_change.c.changed_at.desc(), _change.c.account_id, _change.c.position.desc())
        .limit(limit)
    )


def reassignments(
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    from_provider: str | None = None,
    to_provider: str | None = None,
    account: str | None = None,
    limit: int | None = None,
) -> Select[Any]:
    """Reassignments in [since, until), latest first."""
    moved = _reassignment
    return (
        select(moved)
        .where(
            *within(moved.c.changed_at, since, until),
            *equal(
                moved,
                account_id=account,
                from_provider_id=from_provider,
                to_provider_id=to_provider,
            ),
        )
        .order_by(moved.c.changed_at.desc(), moved.c.account_id, moved.c.position.desc())
        .limit(limit)
    )
