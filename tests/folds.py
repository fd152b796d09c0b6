"""What the law says of a log, and what the projection holds of it: rows of the same shape."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row

from inventory import event_log, lifecycle, projector
from inventory.event import Event, Origin, Recorded

ATTRIBUTES = """phone_number, payment_type, location, number_type, usage_type, status, provider_id,
    provider_name, uri"""

VERSIONS = f"""
SELECT phone_number_id, valid_from, valid_to, {ATTRIBUTES}, entered_at, provider_since, opened_by,
    closed_by
FROM (
    SELECT * FROM inventory.contact_center_number_version
    UNION ALL
    SELECT * FROM inventory.contact_center_number_momentary_version
) AS version
WHERE account_id = %s
ORDER BY phone_number_id, valid_from, opened_by
"""

NUMBERS = f"""
SELECT phone_number_id, {ATTRIBUTES}, valid_from, entered_at, provider_since, verified_at,
    unverified_since, last_position
FROM inventory.contact_center_number
WHERE account_id = %s
ORDER BY phone_number_id
"""

SOURCES: dict[Origin, str] = {
    "notification": "test",
    "observation": "confirmation",
    "operator": "operator:test",
}

CHANGES = """
SELECT phone_number_id, phone_number, changed_at, kind, from_provider_id, from_provider_name,
    to_provider_id, to_provider_name, position, origin
FROM inventory.change
WHERE account_id = %s
ORDER BY position
"""

Rows = list[dict[str, Any]]


def append(connection: Connection, account: str, events: Iterable[Event]) -> None:
    """Append *events* to an account of the caller's choice, those of one origin under one seal."""
    moved = [event._replace(account_id=account) for event in events]
    with connection.transaction():
        for origin, some in groupby(moved, key=lambda event: event.origin):
            event_log.append(connection, event_log.prepare(some), source=SOURCES[origin])


def fold(connection: Connection, account: str) -> None:
    with connection.transaction():
        projector.fold(connection, account)


def recorded(connection: Connection, account: str, events: Sequence[Event]) -> list[Recorded]:
    """*events* with the places that the log gave them."""
    rows = connection.execute(
        "SELECT event_uuid, phone_number_id, position, recorded_at FROM inventory.event"
        " WHERE account_id = %s",
        [account],
    ).fetchall()
    places = {(row[0], row[1]): (row[2], row[3]) for row in rows}
    once = {(event.event_uuid, event.phone_number_id): event for event in events}
    return [Recorded(*places[key], event) for key, event in once.items()]


def projected(connection: Connection, account: str) -> tuple[Rows, Rows, Rows]:
    """Versions, current numbers and changes, as the projection has them."""
    cursor = connection.cursor(row_factory=dict_row)
    versions, numbers, changes = (
        cursor.execute(query, [account]).fetchall() for query in (VERSIONS, NUMBERS, CHANGES)
    )
    connection.rollback()
    return versions, numbers, changes


def by_the_law(log: Sequence[Recorded]) -> tuple[Rows, Rows, Rows]:
    """Versions, current numbers and changes, as the law in Python has them."""
    versions: Rows = []
    numbers: Rows = []
    changes: Rows = []
    for number in sorted({entry.event.phone_number_id for entry in log}):
        steps = list(lifecycle.steps(e for e in log if e.event.phone_number_id == number))
        versions += [
            {
                "phone_number_id": number,
                "valid_from": version.valid_from,
                "valid_to": version.valid_to,
                **version.attributes._asdict(),
                "entered_at": version.entered_at,
                "provider_since": version.provider_since,
                "opened_by": version.opened_by,
                "closed_by": version.closed_by,
            }
            for version in lifecycle.versions(steps)
        ]
        final = steps[-1]
        if final.after is not None:
            numbers.append(
                {
                    "phone_number_id": number,
                    **final.after.attributes._asdict(),
                    "valid_from": final.after.valid_from,
                    "entered_at": final.after.entered_at,
                    "provider_since": final.after.provider_since,
                    "verified_at": final.verified_at,
                    "unverified_since": final.after.unverified_since,
                    "last_position": final.recorded.position,
                }
            )
        changes += [_change(number, step.change) for step in steps if step.change]
    return versions, numbers, sorted(changes, key=lambda change: int(change["position"]))


def _change(number: str, change: lifecycle.Change) -> dict[str, Any]:
    before, after = change.before, change.after
    shown = after or before
    return {
        "phone_number_id": number,
        "phone_number": shown and shown.phone_number,
        "changed_at": change.changed_at,
        "kind": change.kind,
        "from_provider_id": before and before.provider_id,
        "from_provider_name": before and before.provider_name,
        "to_provider_id": after and after.provider_id,
        "to_provider_name": after and after.provider_name,
        "position": change.position,
        "origin": change.origin,
    }
