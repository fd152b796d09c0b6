"""
When a reconciliation is due, whoever is there to run it.

A tick is claimed by its row, which is unique: of many replicas one runs it. Whoever is back after
several ticks runs one. What crashed, and what was asked for, is run as soon as it is seen.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from cronsim import CronSim
from psycopg import Connection
from psycopg.rows import class_row

from inventory.reconciliation import run as runs
from inventory.reconciliation.alone import UnderWay, alone
from inventory.reconciliation.reconcile import Mode, Reconciled, carry_out
from inventory.reconciliation.scope import EVERYTHING
from inventory.reconciliation.source import RingCentralSource
from inventory.ringcentral import RingCentral, Unavailable
from inventory.subscription import ask_for_reconciliation

ASK_AGAIN = timedelta(minutes=5)
"""How long what was asked for waits after a run that did not come to a good end."""

STANDING = """
SELECT
    coalesce(bool_or(scheduled_for >= %(tick)s), false) AS run,
    coalesce(bool_or(requested_at IS NOT NULL AND started_at IS NULL), false) AS asked_for,
    coalesce(bool_or(
        started_at IS NOT NULL AND answered_by IS NULL
        AND (finished_at IS NULL OR outcome = 'crashed')
    ), false) AS crashed,
    coalesce(bool_or(
        outcome IN ('failed', 'incomplete') AND requested_at IS NULL
        AND finished_at > %(lately)s
    ), false) AS in_vain
FROM inventory.reconciliation
WHERE account_id = %(account_id)s
  AND source = 'ringcentral'
  AND scope IS NULL
"""

log = logging.getLogger(__name__)


class _Standing(NamedTuple):
    """How it stands with an account's runs."""

    run: bool
    """The latest tick, or a later one."""
    asked_for: bool
    """By somebody, and nobody has taken it up."""
    crashed: bool
    """A run that began and did not end; or, unless we are alone, one that is under way."""
    in_vain: bool
    """A run, a moment ago."""

    @property
    def due(self) -> bool:
        return not self.run or self.crashed or (self.asked_for and not self.in_vain)


class Schedule:
    """
    Runs what is due.

    Args:
        ringcentral: What is compared with.
        expression: Cron's, in UTC.
        mode: Whether what was seen is appended.
    """

    def __init__(self, ringcentral: RingCentral, expression: str, mode: Mode) -> None:
        self._ringcentral = ringcentral
        self._expression = expression
        self._mode = mode
        self._account_id: str | None = None

    def run_due(self, connection: Connection, now: datetime | None = None) -> Reconciled | None:
        """
        Run what is due; null if nothing is, or somebody else is at it.

        Expects a connection in autocommit mode.

        Raises:
            Denied: We may not read everything there.
            RingCentralError: It could not be read at all. It is asked for again.
        """
        now = now or datetime.now(UTC)
        if self._account_id is None:
            self._account_id = self._ringcentral.account_id()
        tick = latest_tick(self._expression, now)
        if not _standing(connection, self._account_id, tick, now).due:
            return None
        try:
            with alone(connection, self._account_id):
                # Somebody may have run it just now.
                standing = _standing(connection, self._account_id, tick, now)
                return self._run(connection, tick, standing) if standing.due else None
        except UnderWay:
            return None

    def _run(
        self, connection: Connection, tick: datetime, standing: _Standing
    ) -> Reconciled | None:
        account_id = self._account_id or ""
        source = RingCentralSource(self._ringcentral, account_id)
        if standing.run:
            id_: int | None = runs.begin(connection, source, scope=EVERYTHING, mode=self._mode)
        else:
            id_ = runs.begin_tick(connection, source, mode=self._mode, scheduled_for=tick)
        if id_ is None:
            return None
        try:
            done = carry_out(connection, source, id_, mode=self._mode)
        except Unavailable:
            ask_for_reconciliation(connection, account_id, f"run {id_} failed")
            raise
        outcome = done.plan.outcome
        level = logging.INFO if outcome == "complete" else logging.WARNING
        log.log(level, "reconciliation %d: %s, %d appended", id_, outcome, done.done["appended"])
        if outcome == "incomplete":
            ask_for_reconciliation(connection, account_id, f"run {id_} was incomplete")
        return done


def latest_tick(expression: str, now: datetime) -> datetime:
    """
    The latest moment of a schedule that has come.

    >>> latest_tick("0 * * * *", datetime(2026, 3, 1, 12, tzinfo=UTC)).isoformat()
    '2026-03-01T12:00:00+00:00'
    """
    after = now.astimezone(UTC) + timedelta(microseconds=1)
    found: datetime = next(CronSim(expression, after, reverse=True))
    return found


def _standing(connection: Connection, account_id: str, tick: datetime, now: datetime) -> _Standing:
    cursor = connection.cursor(row_factory=class_row(_Standing))
    found = cursor.execute(
        STANDING, {"account_id": account_id, "tick": tick, "lately": now - ASK_AGAIN}
    ).fetchone()
    assert found is not None  # noqa: S101 - an aggregate is one row
    return found
