"""
What a run leaves behind: a row for each finding, and the observations that follow from it.

In batches, each one transaction: what was recorded before a crash stays, and a run that is
repeated after it finds nothing to do there.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from typing import Any

from psycopg import Connection

from inventory import event_log
from inventory.event import Attributes, Event
from inventory.event_log import Batch
from inventory.observation import observe
from inventory.reconciliation.held import latest
from inventory.reconciliation.plan import Plan, Planned

BATCH = 1000
"""Findings a transaction: it holds the account's row, and a webhook has to wait for its turn."""

# By the events' keys: one that is in the log already was not appended just now.
PLACES = """
SELECT observed.event_uuid, recorded.position
FROM unnest(%(phone_number_ids)s::text[], %(event_uuids)s::text[])
    AS observed (phone_number_id, event_uuid)
CROSS JOIN LATERAL (
    SELECT event.position
    FROM inventory.event
    WHERE event.account_id = %(account_id)s
      AND event.phone_number_id = observed.phone_number_id COLLATE "C"
      AND event.event_uuid = observed.event_uuid COLLATE "C"
    LIMIT 1
) AS recorded
"""

RECORD = """
INSERT INTO inventory.discrepancy (
    reconciliation_id, account_id, phone_number_id, phone_number, finding, class, expected, found,
    seen_at, suppression_id, detail, position
)
SELECT
    %(run)s, %(account_id)s, finding.phone_number_id, finding.phone_number, finding.finding,
    finding.class, finding.expected, finding.found, finding.seen_at, finding.suppression_id,
    finding.detail, finding.position
FROM json_to_recordset(%(findings)s::json) AS finding (
    phone_number_id text, phone_number text, finding text, class text, expected json, found json,
    seen_at timestamptz, suppression_id bigint, detail text, position bigint
)
"""


def record(connection: Connection, plan: Plan, run: int, *, append: bool) -> Counter[str]:
    """
    Record the findings of *plan*, and append an observation for each that bears one out.

    What a guard refused is not recorded number by number: it was not looked at.

    Args:
        connection: In autocommit mode.
        plan: What was found.
        run: The run's id.
        append: Whether anything is appended at all.

    Returns:
        What was recorded, by kind of finding; and what was `appended`, and `left_alone`.
    """
    done: Counter[str] = Counter()
    findings = iter(plan.findings)
    while batch := list(islice(findings, BATCH)):
        observed = _observed(plan, batch, run) if append else {}
        prepared = event_log.prepare(observed.values())  # while nobody has to wait for us
        with connection.transaction():
            done += _record(connection, plan, batch, run, observed, prepared)
    return done


def _observed(plan: Plan, batch: Sequence[Planned], run: int) -> dict[int, Event]:
    """The observations that follow from a batch, by their findings' place in it."""
    return {
        ordinal: observe(
            planned.sighting,
            account_id=plan.source.account_id,
            run=f"reconciliation {run}",
            held=planned.finding.held,
        )
        for ordinal, planned in enumerate(batch)
        if planned.sighting is not None
        and planned.suppression is None
        and plan.source.bears_out(planned.finding)
    }


def _record(
    connection: Connection,
    plan: Plan,
    batch: Sequence[Planned],
    run: int,
    observed: dict[int, Event],
    prepared: Batch,
) -> Counter[str]:
    account_id = plan.source.account_id
    done: Counter[str] = Counter()
    touched: set[str] = set()
    if observed:
        # Nobody else appends until we have: what we were told meanwhile wins.
        event_log.lock(connection, account_id)
        touched = _touched(connection, plan, batch)
        if touched:
            observed = {o: e for o, e in observed.items() if e.phone_number_id not in touched}
            prepared = event_log.prepare(observed.values())
        appended = event_log.append(connection, prepared, source=f"reconciliation:{run}")
        if appended.archived:
            raise appended.archived[0]
        done["appended"] = appended.appended
    places = _places(connection, account_id, list(observed.values()))
    rows = []
    for ordinal, planned in enumerate(batch):
        if planned.finding.phone_number_id in touched:
            done["left_alone"] += 1
            continue
        kind = planned.finding.kind
        done[kind if planned.suppression is None else "suppressed"] += 1
        if not (kind == "missing" and plan.guards):
            event = observed.get(ordinal)
            rows.append(_row(planned, event and places.get(event.event_uuid)))
    if rows:
        said = {"run": run, "account_id": account_id, "findings": json.dumps(rows)}
        connection.execute(RECORD, said, prepare=False)
    return done


def _touched(connection: Connection, plan: Plan, batch: Sequence[Planned]) -> set[str]:
    ids = [p.finding.phone_number_id for p in batch if p.finding.phone_number_id is not None]
    found = latest(
        connection,
        plan.source.account_id,
        ids,
        since=plan.reading.begun_at,
        compared=plan.side.position,
    )
    return {each.phone_number_id for each in found.values() if each.touched}


def _places(connection: Connection, account_id: str, events: list[Event]) -> dict[str, int]:
    """The positions of *events* in the log, by their uuids; each observation has its own."""
    keys = {
        "account_id": account_id,
        "phone_number_ids": [event.phone_number_id for event in events],
        "event_uuids": [event.event_uuid for event in events],
    }
    return dict(connection.execute(PLACES, keys, prepare=False).fetchall()) if events else {}


def _row(planned: Planned, position: int | None) -> dict[str, Any]:
    finding = planned.finding
    return {
        "phone_number_id": finding.phone_number_id,
        "phone_number": finding.phone_number,
        "finding": finding.kind,
        "class": planned.cause,
        "expected": _said(finding.held),
        "found": _said(finding.found),
        "seen_at": planned.sighting and planned.sighting.seen_at.isoformat(),
        "suppression_id": planned.suppression and planned.suppression.id,
        "detail": finding.detail,
        "position": position,
    }


def _said(attributes: Attributes | None) -> dict[str, str] | None:
    if attributes is None:
        return None
    return {name: said for name, said in attributes._asdict().items() if said is not None}
