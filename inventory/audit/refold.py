"""
Whether versions, changes and words of a bundle are what the law makes of the events in it.

That can be told of numbers whose whole history is in the bundle, and of no others.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version

from inventory.audit import layout
from inventory.audit.bundle import Bundle
from inventory.audit.history import history
from inventory.audit.layout import Row, instant
from inventory.event import Attributes, Event, Recorded
from inventory.lifecycle import LEFT
from inventory.verification import Difference
from inventory.verification.projection import Table, compared

_VERSION = Table("version", layout.VERSION.names, "opened_by", "opened_by")
_CHANGE = Table("change", layout.CHANGE.names, "position", "position")

STRANGERS = """
SELECT account_id, phone_number_id, position, found
FROM (
    SELECT account_id, phone_number_id, position, 'event' AS found FROM event
    UNION ALL SELECT account_id, phone_number_id, opened_by, 'version' FROM version
    UNION ALL SELECT account_id, phone_number_id, position, 'change' FROM change
) AS row
WHERE NOT EXISTS (
    SELECT 1
    FROM number
    WHERE number.account_id = row.account_id AND number.phone_number_id = row.phone_number_id
)
"""


def differences(bundle: Bundle, notes: list[str]) -> Iterator[Difference]:
    """Where a number's rows are not what its events here give; what cannot be told, in *notes*."""
    manifest = bundle.manifest()
    of_period = manifest.get("question.since") or manifest.get("question.until")
    same_words = manifest.get("program") == f"inventory {version('inventory')}"
    if not same_words:
        notes.append(f"written by {manifest.get('program')}: its words were not compared")
    partial = 0
    for account_id, number, events, here, standing in bundle.rows(layout.NUMBER):
        rows = list(bundle.rows(layout.EVENT, account_id=account_id, phone_number_id=number))
        if len(rows) != here:
            yield Difference(account_id, None, number, "number.here", str(len(rows)), str(here))
        if events < here or (events > here and not of_period):
            expected = f"{here}, its whole history"
            yield Difference(account_id, None, number, "number.events", expected, str(events))
        if events != here:
            partial += 1
            continue
        yield from _of_number(bundle, account_id, number, rows, standing if same_words else None)
    for account_id, number, position, table in bundle.query(STRANGERS):
        yield Difference(account_id, position, number, "number", f"a row, for its {table}", None)
    if partial:
        notes.append(
            f"{partial} numbers have events outside the period: "
            "their versions and changes cannot be concluded from those here"
        )


def _of_number(
    bundle: Bundle, account_id: str, number: str, rows: list[Row], standing: str | None
) -> Iterator[Difference]:
    """What differs of a number whose events are all here; words only where *standing* is given."""
    log = [_recorded(row) for row in rows]
    if not log or any(recorded.event.event_type not in LEFT for recorded in log):
        return  # named elsewhere; the law knows nothing to make of it
    life = history(account_id, number, log)
    of_number = {"account_id": account_id, "phone_number_id": number}
    for table, layout_, expected in (
        (_VERSION, layout.VERSION, life.versions),
        (_CHANGE, layout.CHANGE, life.changes),
    ):
        found = list(bundle.rows(layout_, **of_number))
        yield from compared(account_id, number, table, expected, found)
    if standing is None:
        return
    if standing != life.standing:
        texts = "number.standing", life.standing, standing
        yield Difference(account_id, None, number, *texts)
    for recorded, row in zip(log, rows, strict=True):
        did, found_did = life.deeds[recorded.position], row[-1]
        if did != found_did:
            yield Difference(account_id, recorded.position, number, "event.did", did, found_did)


def _recorded(row: Row) -> Recorded:
    event = dict(zip(layout.EVENT.names, row, strict=True))
    return Recorded(
        event["position"],
        instant(event["recorded_at"]),
        Event(
            event["account_id"],
            event["phone_number_id"],
            event["event_uuid"],
            event["event_type"],
            event["origin"],
            instant(event["occurred_at"]),
            event["subscription_id"],
            event["owner_id"],
            Attributes(*(event[name] for name in Attributes._fields)),
            event["payload"],
            event["payload_sha256"],
        ),
    )
