"""What arrived and could not be an event."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Integer, RowMapping, Select, func, select

from inventory import schema
from inventory.read_model.conditions import equal

_quarantine = schema.quarantine


def quarantined(
    *, everything: bool = False, reason: str | None = None, limit: int | None = None
) -> Select[Any]:
    """What is in quarantine and open, or *everything* that ever was; without the payloads."""
    wanted = [] if everything else [_quarantine.c.resolved_at.is_(None)]
    columns = [c for c in _quarantine.c if c.name not in {"payload", "payload_sha256"}]
    return (
        select(*columns, func.octet_length(_quarantine.c.payload, type_=Integer).label("bytes"))
        .where(*wanted, *equal(_quarantine, reason=reason))
        .order_by(_quarantine.c.id)
        .limit(limit)
    )


def quarantined_item(
    connection: Connection,
    id: int,  # noqa: A002 - its name
) -> RowMapping | None:
    """One item with its payload as it arrived, open or not."""
    rows = connection.execute(select(_quarantine).where(_quarantine.c.id == id))
    return rows.mappings().one_or_none()


def open_quarantine(connection: Connection) -> int:
    """How many items nobody has decided on."""
    still_open = select(func.count()).where(_quarantine.c.resolved_at.is_(None))
    return int(connection.execute(still_open).scalar_one())
