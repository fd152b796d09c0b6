"""Reconciliations: the runs, what they found, and what is known and left."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    MetaData,
    Numeric,
    RowMapping,
    Select,
    Table,
    and_,
    func,
    or_,
    select,
)

from inventory import schema
from inventory.errors import InventoryError
from inventory.read_model.conditions import by_then, earliest, equal
from inventory.read_model.identity import NumberUnknown, spellings

_run = schema.reconciliation
_discrepancy = schema.discrepancy
_suppression = schema.suppression

# The views, as the migrations make them.
_views = MetaData(schema=schema.NAME)
coverage = Table(
    "coverage",
    _views,
    Column("account_id", schema.ID, nullable=False, comment="RingCentral account, digits"),
    Column("reconciliation_id", BigInteger, comment="The run at the end of the interval"),
    *(Column(name) for name in ("started_at", "notified")),
    Column("missed", BigInteger, comment="Changes that no notification has told us of so far"),
    Column(
        "late", BigInteger, comment="Changes that a notification told us of after we had looked"
    ),
    Column(
        "coverage",
        Numeric,
        comment="The share of notified in all of them, 0 to 1; null: there was no change",
    ),
    Column("late_seconds_median", Numeric, comment="How late half of the late ones were at most"),
    Column("late_seconds_most", Numeric, comment="How late the latest one was"),
)
classified = Table(
    "classified_discrepancy",
    _views,
    Column("id", BigInteger, nullable=False),
    *(Column(name) for name in ("reconciliation_id", "account_id", "phone_number_id")),
    *(Column(name) for name in ("phone_number", "finding", "class", "expected", "found")),
    *(Column(name) for name in ("seen_at", "suppression_id", "detail", "position")),
    *(Column(name) for name in ("notification_position", "late_seconds")),
)


AT_FIRST = (
    *("id", "account_id", "source", "scope", "mode"),
    *("scheduled_for", "requested_at", "reason"),
)
"""What is known of a run before it begins."""


class ReconciliationUnknown(InventoryError):
    """There was no such run."""

    def __init__(self, id: int) -> None:  # noqa: A002 - its name
        super().__init__(f"expected the number of a reconciliation, found none of {id}")
        self.id = id


def reconciliations(
    *,
    account: str | None = None,
    outcome: str | None = None,
    at: datetime | None = None,
    known_at: datetime | None = None,
    limit: int | None = None,
) -> Select[Any]:
    """
    The runs, and what was asked for, latest first; each with the coverage it came to.

    At another time those that had been asked for or begun; of one that had not ended it is not
    told how it would.
    """
    then = earliest(at, known_at)
    wanted = equal(_run, account_id=account, outcome=outcome)
    if then is not None:
        wanted.append(func.coalesce(_run.c.requested_at, _run.c.started_at) <= then)
        if outcome is not None:
            wanted.append(_run.c.finished_at <= then)
    return _with_coverage(then).where(*wanted).order_by(_run.c.id.desc()).limit(limit)


def reconciliation(connection: Connection, id: int) -> RowMapping:  # noqa: A002 - its name
    """
    One run, with the coverage it came to.

    Raises:
        ReconciliationUnknown: There is none.
    """
    rows = connection.execute(_with_coverage().where(_run.c.id == id))
    found = rows.mappings().one_or_none()
    if found is None:
        raise ReconciliationUnknown(id)
    return found


def discrepancies(reconciliation_id: int, *, limit: int | None = None) -> Select[Any]:
    """What a run found, in the order in which it did, as it is known now."""
    return (
        select(classified)
        .where(classified.c.reconciliation_id == reconciliation_id)
        .order_by(classified.c.id)
        .limit(limit)
    )


def suppressions(
    *, everything: bool = False, account: str | None = None, limit: int | None = None
) -> Select[Any]:
    """The suppressions that are in force, or *everything* that ever was."""
    in_force = [_suppression.c.lifted_at.is_(None), _suppression.c.expires_at > func.now()]
    return (
        select(_suppression)
        .where(*([] if everything else in_force), *equal(_suppression, account_id=account))
        .order_by(_suppression.c.id)
        .limit(limit)
    )


def found_identities(
    connection: Connection, number: str, *, account: str | None = None
) -> list[tuple[str, str]]:
    """
    The numbers that *number* names among those that a run found, known here or not.

    Raises:
        NumberUnknown: There is none.
    """
    found = connection.execute(
        select(_discrepancy.c.account_id, _discrepancy.c.phone_number_id)
        .where(
            or_(
                _discrepancy.c.phone_number_id == number.strip(),
                _discrepancy.c.phone_number.in_(spellings(number)),
            ),
            _discrepancy.c.phone_number_id.is_not(None),
            *equal(_discrepancy, account_id=account),
        )
        .distinct()
        .order_by(_discrepancy.c.account_id, _discrepancy.c.phone_number_id)
    )
    identities = [(row.account_id, row.phone_number_id) for row in found]
    if not identities:
        raise NumberUnknown(number)
    return identities


def _with_coverage(then: datetime | None = None) -> Select[Any]:
    joined = _run.outerjoin(
        coverage,
        and_(coverage.c.account_id == _run.c.account_id, coverage.c.reconciliation_id == _run.c.id),
    )
    names = ("missed", "late", "coverage", "late_seconds_median", "late_seconds_most")
    begun = _run.c.started_at
    ended = [column for column in _run.c if column.name not in AT_FIRST and column is not begun]
    ended += [coverage.c[name] for name in names]
    told = {
        column.name: column
        for column in (
            *(_run.c[name] for name in AT_FIRST),
            *by_then([begun], begun, then),
            *by_then(ended, _run.c.finished_at, then),
        )
    }
    return select(*(told[name] for name in (*_run.c.keys(), *names))).select_from(joined)
