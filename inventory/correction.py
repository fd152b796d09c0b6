"""
What a person knows better, as an event.

Pure. A correction is appended like a notification and folds like one; its payload is an envelope
of ours with the person and the reason in it. What it does not name stays as the law has it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from inventory import lifecycle
from inventory.envelope import enveloped
from inventory.errors import InventoryError
from inventory.event import CONTACT_CENTER, Attributes, Event, Recorded
from inventory.lifecycle import State
from inventory.notification import Rejection, parse

PRESENCE = "in Contact Center"
"""What a correction changes beside the fields: whether the number is in at all."""
DOUBT = "unverified_since"
"""… and since when it had been in doubt: whoever enters a correction knows."""
_FIELDS = tuple(name for name in Attributes._fields if name != "uri")


class NothingToCorrect(InventoryError):
    """The number was as the correction says."""

    def __init__(self, phone_number_id: str, at: datetime) -> None:
        super().__init__(
            f"expected something to correct, found number {phone_number_id} to be just so at "
            f"{at.isoformat()}"
        )


class UnusableCorrection(InventoryError):
    """What was asked for cannot be an event."""


class Difference(NamedTuple):
    """A field, and what becomes of it; null where it says nothing."""

    field: str
    before: str | None
    after: str | None


class Correction(NamedTuple):
    """A correction that may be appended, and what it changes."""

    event: Event
    changes: list[Difference]
    """At the time it is for; never empty."""


class Contradiction(NamedTuple):
    """A later event that takes back what was corrected."""

    field: str
    since: datetime
    value: str | None
    position: int


def correct(
    log: Sequence[Recorded],
    named: Mapping[str, str | None] | None,
    *,
    account_id: str,
    phone_number_id: str,
    at: datetime,
    latest: datetime,
    operator: str,
    reason: str,
    uuid: str,
) -> Correction:
    """
    The correction that *operator* makes of one number.

    A number that was out comes back as it was when it last was in. A provider's name goes with its
    id: where another id is named and no name, there is none.

    Args:
        log: What was recorded of the number, all of it.
        named: The attributes named, by field; null: there is no such number.
        account_id: Digits.
        phone_number_id: Digits.
        at: When it was so. Of events of that very instant the correction is the last.
        latest: The latest time to believe.
        operator: Who says it.
        reason: Why.
        uuid: Of the event; a fresh one.

    Raises:
        NothingToCorrect: It was so anyway.
        UnusableCorrection: It cannot be an event; a number that was not known then has to be given
            its E.164 number.
    """
    state, known = _just_before(log, at)
    before = _attributes(state)
    said = None if named is None else _said(known, named)
    if before is None and said is not None and said.phone_number is None:
        raise UnusableCorrection(
            f"expected the E.164 number of number {phone_number_id}, found none known at "
            f"{at.isoformat()}"
        )
    payload = json.dumps(
        enveloped(
            said,
            account_id=account_id,
            phone_number_id=phone_number_id,
            uuid=uuid,
            occurred_at=at,
            origin="operator",
            beside={"operator": operator, "reason": reason},
        )
    )
    event = parse(payload.encode(), latest=latest)
    if isinstance(event, Rejection):
        raise UnusableCorrection(f"expected a correction that can be an event, got {event.detail}")
    event = event._replace(origin="operator")
    after = event.attributes if lifecycle.inside(event) else None
    changes = _differences(before, after)
    if state is not None and state.unverified_since is not None and after is not None:
        changes.append(Difference(DOUBT, state.unverified_since.isoformat(), None))
    if not changes:
        raise NothingToCorrect(phone_number_id, at)
    if before is not None and after is None and said is not None:
        changes.append(Difference("usage_type", before.usage_type, said.usage_type))
    return Correction(event, changes)


def contradictions(log: Sequence[Recorded], position: int) -> list[Contradiction]:
    """
    What later events say otherwise of what the correction at *position* changed, each the first.

    Args:
        log: What was recorded of the number, the correction included.
        position: The correction's.
    """
    steps = list(lifecycle.steps(log))
    ordinal = next(at for at, step in enumerate(steps) if step.recorded.position == position)
    corrected = steps[ordinal]
    meant = _standing(_attributes(corrected.after))
    changes = _differences(_attributes(corrected.before), _attributes(corrected.after))
    pending = {change.field for change in changes}
    found = []
    for step in steps[ordinal + 1 :]:
        now = _standing(_attributes(step.after))
        # That a number left later says nothing of how it was while it was in.
        for field in sorted(pending & now.keys()):
            if now[field] != meant.get(field):
                event = step.recorded.event
                found.append(
                    Contradiction(field, event.occurred_at, now[field], step.recorded.position)
                )
                pending.remove(field)
    return found


def reason_of(event: Event) -> str | None:
    """Why an operator entered *event*; null: no operator did, or its payload is not at hand."""
    if event.origin != "operator" or not event.payload:
        return None
    reason = json.loads(event.payload).get("reason")
    return None if reason is None else str(reason)


def _just_before(log: Sequence[Recorded], at: datetime) -> tuple[State | None, Attributes | None]:
    """The state of a number that is in at that time, and the attributes it had last, if any."""
    state: State | None = None
    known: Attributes | None = None
    was_in = False
    for step in lifecycle.steps(entry for entry in log if entry.event.occurred_at <= at):
        state = step.after
        if state is not None:
            known, was_in = state.attributes, True
        elif not was_in:
            known = step.recorded.event.attributes
    return state, known


def _said(known: Attributes | None, named: Mapping[str, str | None]) -> Attributes:
    """What is known, with what is *named* in its place."""
    before = known or Attributes(usage_type=CONTACT_CENTER)
    said = before._replace(**named)
    if said.provider_id != before.provider_id and "provider_name" not in named:
        said = said._replace(provider_name=None)
    return said


def _attributes(state: State | None) -> Attributes | None:
    return None if state is None else state.attributes


def _standing(attributes: Attributes | None) -> dict[str, str | None]:
    """Whether a number is in, and its fields while it is."""
    if attributes is None:
        return {PRESENCE: "no"}
    return {PRESENCE: "yes"} | {name: getattr(attributes, name) for name in _FIELDS}


def _differences(before: Attributes | None, after: Attributes | None) -> list[Difference]:
    """What is not as it stood; of a number that leaves, that it does."""
    stood, stands = _standing(before), _standing(after)
    return [
        Difference(name, stood.get(name), value)
        for name, value in stands.items()
        if stood.get(name) != value
    ]
