"""What of the differences that reconciliations found nothing has been done about."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from inventory import schema

_run = schema.reconciliation
_discrepancy = schema.discrepancy


def open_discrepancies(connection: Connection) -> int:
    """
    How many numbers differed when each account was last compared with all that RingCentral has,
    and nothing was appended for it.
    """
    latest = (
        select(func.max(_run.c.id))
        .where(
            _run.c.source == "ringcentral",
            _run.c.scope.is_(None),
            _run.c.finished_at.is_not(None),
            _run.c.position.is_not(None),
        )
        .group_by(_run.c.account_id)
    )
    count = select(func.count()).where(
        _discrepancy.c.reconciliation_id.in_(latest),
        _discrepancy.c.position.is_(None),
        _discrepancy.c.suppression_id.is_(None),
        _discrepancy.c.finding != "confirmed",
    )
    return connection.execute(count).scalar_one()
