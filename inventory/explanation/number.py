"""One number explained: how it stands, what happened to it, and who set what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from inventory.correction import reason_of
from inventory.event import Recorded
from inventory.explanation.steps import (
    deed,
    differed,
    doubted,
    fields,
    repeats,
    revised,
    standing,
)
from inventory.explanation.words import instant, shown, whence
from inventory.hindsight import Revision, revisions
from inventory.lifecycle import Step

UNKNOWN = "nothing of it had occurred and was known"


def of_number(
    account_id: str, phone_number_id: str, steps: Sequence[Step], *, payloads: bool = False
) -> Iterator[str]:
    """Lines that explain one number; with *payloads* each event as it arrived, too."""
    if not steps:
        yield f"number {phone_number_id} of account {account_id}: {UNKNOWN}"
        yield ""
        return
    yield f"number {phone_number_id} of account {account_id}: {standing(steps[-1])}"
    yield ""
    late = _late(steps)
    for step, previous in _with_previous(steps):
        recorded = step.recorded
        event = recorded.event
        by = "" if event.origin == "notification" else f" ({whence(recorded)})"
        yield (
            f"  {instant(event.occurred_at)}  #{recorded.position:<6} {event.event_type:<8} "
            f"{deed(step, previous)}{by}"
        )
        if recorded.position in late:
            yield (
                f"{'':24}recorded {instant(recorded.recorded_at)}, after younger events of it; "
                f"{revised(late[recorded.position])}"
            )
        if payloads:
            yield from (f"{'':24}{line}" for line in event.payload.splitlines())
    setters = fields(steps)
    if setters:
        yield ""
        for setter in setters:
            recorded = setter.recorded
            yield (
                f"  {setter.field:<15}{shown(setter.value):<32} "
                f"since {instant(recorded.event.occurred_at)}, by #{recorded.position} "
                f"({whence(recorded)}), known {instant(recorded.recorded_at)}"
            )
    yield ""


def record_of_number(
    account_id: str, phone_number_id: str, steps: Sequence[Step], *, payloads: bool = False
) -> dict[str, Any]:
    """The same for programs: values under the names of the SQL columns."""
    final = steps[-1] if steps else None
    state = final.after if final else None
    late = _late(steps)
    return {
        "account_id": account_id,
        "phone_number_id": phone_number_id,
        "standing": standing(final) if final else UNKNOWN,
        "inside": state is not None,
        "valid_from": state and state.valid_from,
        "entered_at": state and state.entered_at,
        "provider_since": state and state.provider_since,
        "unverified_since": state and state.unverified_since,
        "verified_at": final and final.verified_at,
        "fields": {
            setter.field: {"value": setter.value, **_place(setter.recorded)}
            for setter in (fields(steps) if steps else [])
        },
        "events": [
            record_of_step(step, previous, late.get(step.recorded.position))
            | ({"payload": step.recorded.event.payload} if payloads else {})
            for step, previous in _with_previous(steps)
        ],
    }


def record_of_step(
    step: Step, previous: Recorded | None, revision: Revision | None
) -> dict[str, Any]:
    """What one event did, for programs."""
    recorded = step.recorded
    event, attributes = recorded.event, (step.before, step.after)
    before, after = (state and state.attributes._asdict() for state in attributes)
    return {
        "account_id": event.account_id,
        "phone_number_id": event.phone_number_id,
        **_place(recorded),
        "phone_number": event.attributes.phone_number,
        "kind": step.change and step.change.kind,
        "did": deed(step, previous),
        "before": before,
        "after": after,
        "repeats": previous.position if previous and repeats(recorded, previous) else None,
        "doubt": doubted(step),
        "late": revision and record_of_revision(revision),
    }


def record_of_revision(revision: Revision) -> dict[str, Any]:
    """What a late event did to what had been said, for programs."""
    before, after = revision.before, revision.after
    return {
        "valid_from": revision.valid_from,
        "valid_to": revision.valid_to,
        "changed": revision.changed,
        "before": before and before._asdict(),
        "after": after and after._asdict(),
    }


def record_of_late(revision: Revision) -> dict[str, Any]:
    """A late event, and what it did to what had been said, for programs."""
    event = revision.recorded.event
    return {
        "account_id": event.account_id,
        "phone_number_id": event.phone_number_id,
        "phone_number": event.attributes.phone_number,
        "did": differed(revision),
        **_place(revision.recorded),
        **record_of_revision(revision),
    }


def _place(recorded: Recorded) -> dict[str, Any]:
    """Which event: its place, both its times, where it came from, and why it was entered."""
    event = recorded.event
    return {
        "position": recorded.position,
        "event_type": event.event_type,
        "occurred_at": event.occurred_at,
        "recorded_at": recorded.recorded_at,
        "origin": event.origin,
        "source": recorded.source,
        "reason": reason_of(event),
    }


def _late(steps: Sequence[Step]) -> dict[int, Revision]:
    """What late events did to what had been said, by position."""
    return {
        revision.recorded.position: revision
        for revision in revisions(step.recorded for step in steps)
    }


def _with_previous(steps: Sequence[Step]) -> Iterator[tuple[Step, Recorded | None]]:
    """Each step with the event that the law takes before its own."""
    return zip(steps, chain([None], (step.recorded for step in steps)), strict=False)
