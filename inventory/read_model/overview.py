"""The inventory in a few figures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from inventory import schema
from inventory.read_model.changes import changes

_number = schema.contact_center_number


class Holding(NamedTuple):
    """How many numbers a provider has in a status."""

    provider_id: str | None
    status: str | None
    numbers: int


def holdings(connection: Connection) -> list[Holding]:
    """How many numbers each provider has in each status, over all accounts."""
    rows = connection.execute(
        select(_number.c.provider_id, _number.c.status, func.count()).group_by(
            _number.c.provider_id, _number.c.status
        )
    )
    return [Holding(*row) for row in rows]


def doubtful(connection: Connection) -> int:
    """How many numbers may have left without our being told."""
    count = select(func.count()).where(_number.c.unverified_since.is_not(None))
    return connection.execute(count).scalar_one()


def changes_since(
    connection: Connection,
    instants: Sequence[datetime],
    until: datetime | None = None,
    *,
    account: str | None = None,
) -> dict[str, list[int]]:
    """For each kind of change, how many there were from each of *instants* until another one."""
    change = changes(since=min(instants), until=until, account=account).order_by(None).subquery()
    counts = [func.count().filter(change.c.changed_at >= since) for since in instants]
    rows = connection.execute(select(change.c.kind, *counts).group_by(change.c.kind))
    return {kind: list(of_kind) for kind, *of_kind in rows}
