"""Runs, each a row: begun, ended or failed; and what they take up that others left or asked for."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

from psycopg import Connection

from inventory.reconciliation.plan import Plan
from inventory.reconciliation.scope import EVERYTHING, Scope
from inventory.reconciliation.source import Source

BEGIN = """
INSERT INTO inventory.reconciliation (account_id, source, scope, mode, scheduled_for, started_at)
VALUES (%(account_id)s, %(source)s, %(scope)s, %(mode)s, %(scheduled_for)s, statement_timestamp())
ON CONFLICT (account_id, scheduled_for) DO NOTHING
RETURNING id
"""

# Under the lock: whatever else has begun and not ended has crashed.
CLOSE_CRASHED = """
UPDATE inventory.reconciliation
SET finished_at = statement_timestamp(), outcome = 'crashed',
    answered_by = CASE
        WHEN scope IS NULL AND source = 'ringcentral' THEN %(answered_by)s::bigint
    END
WHERE account_id = %(account_id)s
  AND id <> %(id)s
  AND started_at IS NOT NULL AND finished_at IS NULL AND answered_by IS NULL
"""
ASK_AGAIN_FOR_WHAT_CRASHED = """
UPDATE inventory.reconciliation AS asked
SET started_at = NULL, answered_by = NULL
FROM inventory.reconciliation AS answering
WHERE asked.account_id = %(account_id)s
  AND asked.requested_at IS NOT NULL AND asked.finished_at IS NULL
  AND answering.account_id = asked.account_id
  AND answering.id = asked.answered_by AND answering.outcome = 'crashed'
"""

# What is asked for from now on is not answered by this run: its list may have been read already.
ANSWER_REQUESTS = """
UPDATE inventory.reconciliation
SET started_at = statement_timestamp(), answered_by = %(id)s
WHERE account_id = %(account_id)s
  AND source = 'ringcentral'
  AND requested_at IS NOT NULL AND started_at IS NULL
"""
REQUESTS_ANSWERED = """
UPDATE inventory.reconciliation
SET finished_at = statement_timestamp(), outcome = %(outcome)s
WHERE account_id = %(account_id)s
  AND answered_by = %(id)s AND requested_at IS NOT NULL AND finished_at IS NULL
"""
ASK_AGAIN = """
UPDATE inventory.reconciliation
SET started_at = NULL, answered_by = NULL
WHERE account_id = %(account_id)s
  AND answered_by = %(id)s AND requested_at IS NOT NULL AND finished_at IS NULL
"""

END = """
UPDATE inventory.reconciliation
SET finished_at = statement_timestamp(), read_at = %(read_at)s, outcome = %(outcome)s,
    position = %(position)s, seen = %(seen)s, added = %(added)s, different = %(different)s,
    departed = %(departed)s, deleted = %(deleted)s, missing = %(missing)s,
    confirmed = %(confirmed)s, suppressed = %(suppressed)s, left_alone = %(left_alone)s,
    appended = %(appended)s, requests = %(requests)s, guard = %(guard)s,
    override = %(override)s, detail = %(detail)s
WHERE account_id = %(account_id)s AND id = %(id)s
"""
FAIL = """
UPDATE inventory.reconciliation
SET finished_at = statement_timestamp(), outcome = 'failed', requests = %(requests)s,
    detail = %(detail)s
WHERE account_id = %(account_id)s AND id = %(id)s
"""

# From the run before, that of everything, to this one.
INTERVAL = """
SELECT before.position AS after, run.position AS through
FROM inventory.reconciliation AS run
JOIN inventory.reconciliation AS before
  ON before.account_id = run.account_id
 AND before.id < run.id
WHERE run.account_id = %(account_id)s
  AND run.id = %(id)s AND run.source = 'ringcentral' AND run.scope IS NULL
  AND before.source = 'ringcentral' AND before.scope IS NULL
  AND before.outcome IN ('complete', 'refused')
  AND before.position IS NOT NULL
ORDER BY before.id DESC
LIMIT 1
"""

# Every kind of change that RingCentral announces, as far as we had been told before this run read
# the inventory.
NOTIFIED = """
SELECT count(*)
FROM inventory.change
WHERE change.account_id = %(account_id)s
  AND change.position > %(after)s AND change.position <= %(through)s
  AND change.kind IN ('created', 'reassigned_in', 'reassigned_out', 'deleted')
  AND change.origin <> 'operator'
  AND NOT EXISTS (
      SELECT
      FROM inventory.discrepancy
      WHERE discrepancy.account_id = change.account_id
        AND discrepancy.phone_number_id = change.phone_number_id
        AND discrepancy.position = change.position
  )
  AND NOT EXISTS (
      SELECT
      FROM inventory.classified_discrepancy AS late
      WHERE late.account_id = change.account_id
        AND late.phone_number_id = change.phone_number_id
        AND late.notification_position = change.position
  )
"""

SAY_NOTIFIED = """
UPDATE inventory.reconciliation
SET notified = %(notified)s
WHERE account_id = %(account_id)s AND id = %(id)s
"""

SAID = 5
"""Faults that are told; of more, how many."""


def begin(connection: Connection, source: Source, *, scope: Scope, mode: str) -> int:
    """
    The id of a new run. Assumes that we are alone.

    It takes up what crashed, and what was asked for, unless it is narrowed.
    """
    found = _begin(connection, source, scope, mode, None)
    assert found is not None  # noqa: S101 - only a tick can have been run
    return found


def begin_tick(
    connection: Connection, source: Source, *, mode: str, scheduled_for: datetime
) -> int | None:
    """The id of a new run for a tick of the schedule; null if the tick has been run."""
    return _begin(connection, source, EVERYTHING, mode, scheduled_for)


def _begin(
    connection: Connection,
    source: Source,
    scope: Scope,
    mode: str,
    scheduled_for: datetime | None,
) -> int | None:
    row = {
        "account_id": source.account_id,
        "source": source.name,
        "scope": str(scope) or None,
        "mode": mode,
        "scheduled_for": scheduled_for,
    }
    with connection.transaction():
        found = connection.execute(BEGIN, row).fetchone()
        if found is None:
            return None
        id_: int = found[0]
        whole = not scope and not source.by_file
        run = {"account_id": source.account_id, "id": id_, "answered_by": id_ if whole else None}
        connection.execute(CLOSE_CRASHED, run)
        connection.execute(ASK_AGAIN_FOR_WHAT_CRASHED, run)
        if whole:
            connection.execute(ANSWER_REQUESTS, run)
    return id_


def end(connection: Connection, id: int, plan: Plan, done: Counter[str]) -> None:  # noqa: A002
    """Say how a run ended, and what it found."""
    kinds = ("added", "different", "departed", "deleted", "missing", "confirmed", "suppressed")
    faults = [*plan.reading.faults[:SAID], *plan.notes, *(each.detail for each in plan.guards)]
    if len(plan.reading.faults) > SAID:
        faults.append(f"{len(plan.reading.faults) - SAID} more like the first")
    row = {
        "id": id,
        "account_id": plan.source.account_id,
        "read_at": plan.read_at,
        "outcome": plan.outcome,
        "position": plan.side.position,
        "seen": plan.reading.rows,
        **{kind: done[kind] for kind in kinds},
        "left_alone": plan.left_alone + done["left_alone"],
        "appended": done["appended"],
        "requests": plan.source.requests,
        "guard": ", ".join(dict.fromkeys(each.name for each in plan.guards)) or None,
        "override": plan.override and f"{plan.override.absent} absent: {plan.override.reason}",
        "detail": "; ".join(faults) or None,
    }
    with connection.transaction():
        connection.execute(END, row)
        _count_notified(connection, row)
        connection.execute(ASK_AGAIN if plan.outcome == "incomplete" else REQUESTS_ANSWERED, row)


def _count_notified(connection: Connection, run: dict[str, Any]) -> None:
    """Say how much we had been told between the run before and this one, if there was one."""
    interval = connection.execute(INTERVAL, run).fetchone()
    if interval is not None:
        between = {"account_id": run["account_id"], "after": interval[0], "through": interval[1]}
        (notified,) = connection.execute(NOTIFIED, between).fetchone() or (0,)
        connection.execute(SAY_NOTIFIED, run | {"notified": notified})


def fail(connection: Connection, id: int, source: Source, error: BaseException) -> None:  # noqa: A002
    """Say that a run came to nothing, and why."""
    detail = str(error).strip() or type(error).__name__
    with connection.transaction():
        run = {"id": id, "account_id": source.account_id}
        connection.execute(FAIL, run | {"requests": source.requests, "detail": detail})
        connection.execute(ASK_AGAIN, run)
