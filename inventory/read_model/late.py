"""Numbers with late events: those recorded when a younger one of their number had been."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Select, Text, cast, func, select

from inventory import schema
from inventory.read_model.conditions import equal, within

_event = schema.event


def late_numbers(
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    account: str | None = None,
) -> Select[Any]:
    """
    Account and id of each number of which an event was recorded late in [since, until), in order.

    Found in one pass over the log, whatever the period: what was known by then may be of any age.
    """
    # Events of one append share recorded_at and are not late for each other: the group before is
    # the append before. With EXCLUDE GROUP the maximum would be sought anew for every row.
    youngest = func.max(_event.c.occurred_at).over(
        partition_by=(_event.c.account_id, _event.c.phone_number_id),
        order_by=_event.c.recorded_at,
        groups=(None, -1),
    )
    placed = (
        select(
            _event.c.account_id,
            _event.c.phone_number_id,
            _event.c.occurred_at,
            _event.c.recorded_at,
            youngest.label("youngest"),
        )
        .where(
            func.inventory.require_whole_log(cast(account, Text)),
            *equal(_event, account_id=account),
        )
        .subquery("placed")
    )
    return (
        select(placed.c.account_id, placed.c.phone_number_id)
        .distinct()
        .where(placed.c.occurred_at < placed.c.youngest)
        .where(*within(placed.c.recorded_at, since, until))
        .order_by(placed.c.account_id, placed.c.phone_number_id)
    )
