"""How it goes over all accounts together: what a machine looks at, over and over."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, RowMapping, Select, and_, func, select

from inventory import schema
from inventory.read_model.freshness import freshness
from inventory.read_model.reconciliations import classified, coverage

_run = schema.reconciliation
_checkpoint = schema.projection_checkpoint

LATELY = timedelta(days=7)
"""How far back coverage is looked at."""


class Told(NamedTuple):
    """Of the changes that RingCentral announces, those of one lately, by how we heard of them."""

    notified: int
    late: int
    missed: int


def currency(connection: Connection) -> RowMapping:
    """How current the inventory is: events of all accounts, and the account that is worst off."""
    of = freshness().order_by(None).subquery().c
    fresh = select(
        func.count().label("accounts"),
        func.coalesce(func.sum(of.head), 0).label("events"),
        func.coalesce(func.sum(of.lag_events), 0).label("lag_events"),
        func.coalesce(func.max(of.lag_seconds), 0).label("lag_seconds"),
        func.min(of.last_reconciliation_at).label("last_reconciliation_at"),
        select(func.max(_checkpoint.c.folded_at)).scalar_subquery().label("folded_at"),
    )
    return connection.execute(fresh).mappings().one()


def latest_outcomes(connection: Connection) -> dict[str, int]:
    """How many accounts' latest run against all that RingCentral has ended in which outcome."""
    rows = connection.execute(
        select(_run.c.outcome, func.count())
        .where(_run.c.id.in_(_latest(_run.c.outcome.is_not(None))))
        .group_by(_run.c.outcome)
    )
    return {row[0]: row[1] for row in rows}


def latest_findings(connection: Connection) -> dict[str | None, int]:
    """
    How many differences each account's latest comparison with all that RingCentral has found, by
    class; null: not decided. What is suppressed is none.
    """
    rows = connection.execute(
        select(classified.c["class"], func.count())
        .where(
            classified.c.reconciliation_id.in_(_latest(_run.c.position.is_not(None))),
            classified.c.suppression_id.is_(None),
            classified.c.finding != "confirmed",
        )
        .group_by(classified.c["class"])
    )
    return {row[0]: row[1] for row in rows}


def told_lately(connection: Connection) -> Told:
    """How we heard of the changes between the comparisons that began since `LATELY`."""
    row = connection.execute(
        select(
            *(
                func.coalesce(func.sum(coverage.c[name]), 0)
                for name in ("notified", "late", "missed")
            )
        ).where(coverage.c.started_at > func.now() - LATELY)
    ).one()
    return Told(*map(int, row))


def _latest(condition: Any) -> Select[Any]:
    """The ids of each account's latest run of those that have ended, and fulfil *condition*."""
    return (
        select(func.max(_run.c.id))
        .where(
            and_(
                _run.c.source == "ringcentral",
                _run.c.scope.is_(None),
                _run.c.finished_at.is_not(None),
                condition,
            )
        )
        .group_by(_run.c.account_id)
    )
