"""What arrived and could not be an event."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Integer, RowMapping, Select, func, or_, select

from inventory import schema
from inventory.read_model.conditions import by_then, earliest, equal

_quarantine = schema.quarantine


def quarantined(
    *,
    everything: bool = False,
    reason: str | None = None,
    at: datetime | None = None,
    known_at: datetime | None = None,
    limit: int | None = None,
) -> Select[Any]:
    """
    What is in quarantine and open, or *everything* that ever was; without the payloads.

    At another time what was open then, of what had arrived; how often it arrived is told as of now.
    """
    then = earliest(at, known_at)
    resolved = [_quarantine.c[name] for name in ("resolved_at", "resolution")]
    resolved_at, resolution = by_then(resolved, _quarantine.c.resolved_at, then)
    wanted = equal(_quarantine, reason=reason)
    if then is not None:
        wanted.append(_quarantine.c.received_at <= then)
    if not everything:
        still = _quarantine.c.resolved_at.is_(None)
        wanted.append(still if then is None else or_(still, _quarantine.c.resolved_at > then))
    told = {"resolved_at": resolved_at, "resolution": resolution}
    columns = [
        told.get(c.name, c) for c in _quarantine.c if c.name not in {"payload", "payload_sha256"}
    ]
    return (
        select(*columns, func.octet_length(_quarantine.c.payload, type_=Integer).label("bytes"))
        .where(*wanted)
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


def quarantined_by_reason(
    connection: Connection, *, everything: bool = False
) -> Sequence[RowMapping]:
    """How many items are in quarantine for each reason, most first."""
    wanted = [] if everything else [_quarantine.c.resolved_at.is_(None)]
    rows = connection.execute(
        select(_quarantine.c.reason, func.count().label("items"))
        .where(*wanted)
        .group_by(_quarantine.c.reason)
        .order_by(func.count().desc(), _quarantine.c.reason)
    )
    return rows.mappings().all()


class Open(NamedTuple):
    """Open items of the quarantine."""

    items: int
    through: int
    """The id of the latest of them; 0: there is none."""


def open_items(
    connection: Connection,
    *,
    reason: str | None = None,
    id: int | None = None,  # noqa: A002 - its name
) -> Open:
    """How many items are open: all of them, of one reason, or the one of this id."""
    wanted = [_quarantine.c.resolved_at.is_(None), *equal(_quarantine, reason=reason)]
    if id is not None:
        wanted.append(_quarantine.c.id == id)
    row = connection.execute(
        select(func.count(), func.coalesce(func.max(_quarantine.c.id), 0)).where(*wanted)
    ).one()
    return Open(*row)
