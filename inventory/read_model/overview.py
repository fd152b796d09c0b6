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
    """How many numbers of one status a provider has."""

    provider_id: str | None
    provider_name: str | None
    """One of its names: an id comes with several."""
    status: str | None
    numbers: int
    doubtful: int
    """Those of them that may have left without our being told."""
    latest: datetime
    """When the latest of them came to be as it is."""


def holdings(connection: Connection) -> list[Holding]:
    """How many numbers each provider has in each status, over all accounts. One pass over them."""
    by = _number.c.provider_id, _number.c.provider_name, _number.c.status
    doubtful = func.count().filter(_number.c.unverified_since.is_not(None))
    counted = select(*by, func.count(), doubtful, func.max(_number.c.valid_from)).group_by(*by)
    return [Holding(*row) for row in connection.execute(counted)]


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
