"""
The law: how a number's events fold into states, versions and changes.

A number is *in* the inventory with the attributes of its latest event, or *out*. Its events are
taken in the order they occurred; events of one instant in the order they were recorded, since
nothing else tells them apart. So the state is a function of the set of events, and late, repeated
and permuted arrivals converge.

What an event does is decided by two tables below: what state it leaves behind, and what kind of
change lies between two states. The rest of the module walks them. No I/O, no clock; the projector
folds in SQL, independently of this module, and tests hold the two equal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from inventory.event import CONTACT_CENTER, Attributes, Event, EventType, Origin, Recorded

Kind: TypeAlias = Literal[
    "created",
    "reassigned_in",
    "provider_changed",
    "attributes_changed",
    "reassigned_out",
    "deleted",
]
"""What a change is: one boundary between two states."""

# (the event, its usageType is Contact Center's or absent) → the number is in.
INSIDE: dict[tuple[EventType, bool], bool] = {
    ("Created", True): True,
    ("Updated", True): True,
    ("Created", False): False,  # reassigned to another extension type
    ("Updated", False): False,
    ("Deleted", True): False,
    ("Deleted", False): False,
}

ENTERED: dict[EventType, Kind] = {"Created": "created", "Updated": "reassigned_in"}
LEFT: dict[EventType, Kind] = {
    "Created": "reassigned_out",
    "Updated": "reassigned_out",
    "Deleted": "deleted",
}


def inside(event: Event) -> bool:
    """Whether the number is in the inventory after *event*."""
    usage_type = event.attributes.usage_type
    return INSIDE[event.event_type, usage_type is None or usage_type == CONTACT_CENTER]


@dataclass(frozen=True, slots=True)
class State:
    """A number that is in the inventory, as it stands after an event."""

    attributes: Attributes
    """Those of the latest event."""
    valid_from: datetime
    """Since when all attributes that make a version have been as they are."""
    opened_by: int
    """Position of the event that opened this version."""
    opened_attributes: Attributes
    """Those of the event that opened this version: a later one may differ in `uri` alone."""
    entered_at: datetime
    """Since when the number has been in."""
    provider_since: datetime
    """Since when, while in, it has had its provider."""
    unverified_since: datetime | None
    """Since when it is in doubt: an `Updated` that changed nothing may have been a farewell."""


@dataclass(frozen=True, slots=True)
class Change:
    """One boundary between two states of a number."""

    kind: Kind
    changed_at: datetime
    position: int
    origin: Origin
    before: Attributes | None
    """Null: the number was out."""
    after: Attributes | None
    """Null: the number is out now."""


@dataclass(frozen=True, slots=True)
class Version:
    """A maximal run of equal state, `[valid_from, valid_to)`; *valid_to* null while current."""

    attributes: Attributes
    valid_from: datetime
    valid_to: datetime | None
    entered_at: datetime
    provider_since: datetime
    opened_by: int
    closed_by: int | None

    @property
    def momentary(self) -> bool:
        """Whether it began and ended in one instant, and so was true at no time."""
        return self.valid_to == self.valid_from


@dataclass(frozen=True, slots=True)
class Step:
    """What one event did: the state it found, the state it left, and the change between."""

    recorded: Recorded
    before: State | None
    after: State | None
    change: Change | None
    verified_at: datetime | None
    """When the number was last looked at, as of this event."""


def order(recorded: Recorded) -> tuple[datetime, int]:
    """What the law sorts events by: when they occurred; of one instant, when they were recorded."""
    return recorded.event.occurred_at, recorded.position


def steps(log: Iterable[Recorded]) -> Iterator[Step]:
    """
    What each event of one number did, in the order of the law.

    Assumes that *log* holds events of one number only, each once, in any order.
    """
    step: Step | None = None
    for recorded in sorted(log, key=order):
        step = follow(step, recorded)
        yield step


def follow(previous: Step | None, recorded: Recorded) -> Step:
    """What an event did that comes right after *previous* in the order of the law; null: first."""
    before = previous.after if previous else None
    verified_at = previous.verified_at if previous else None
    if recorded.event.origin == "observation":
        verified_at = recorded.event.occurred_at
    after = _next(before, recorded)
    return Step(recorded, before, after, _change(before, after, recorded), verified_at)


def versions(taken: Iterable[Step]) -> list[Version]:
    """The versions of one number, momentary ones included, in order."""
    found: list[Version] = []
    final: State | None = None
    for step in taken:
        final = step.after
        if step.change is not None and step.before is not None:
            found.append(_closed(step.before, step.recorded))
    if final is not None:
        found.append(_closed(final, None))
    return found


def _next(state: State | None, recorded: Recorded) -> State | None:
    """The state after the event, given the state before it."""
    event = recorded.event
    if not inside(event):
        return None
    now = event.attributes
    if state is not None and state.attributes.state == now.state:
        return State(
            now,
            state.valid_from,
            state.opened_by,
            state.opened_attributes,
            state.entered_at,
            state.provider_since,
            _doubt(state, event),
        )
    same_provider = state is not None and state.attributes.provider_id == now.provider_id
    return State(
        now,
        event.occurred_at,
        recorded.position,
        now,
        event.occurred_at if state is None else state.entered_at,
        state.provider_since if state is not None and same_provider else event.occurred_at,
        None,
    )


def _doubt(state: State, event: Event) -> datetime | None:
    """
    Since when a number is unverified after an event that changed nothing.

    RingCentral's `Updated` means converted *to* Contact Center or reassigned *away* from it, and
    its usageType is documented to be Contact Center's either way: one that changes nothing may
    have been a farewell. Whoever looked, or entered a correction, dispels the doubt.
    """
    if event.origin != "notification":
        return None
    if event.event_type == "Updated" and state.unverified_since is None:
        return event.occurred_at
    return state.unverified_since


def _change(before: State | None, after: State | None, recorded: Recorded) -> Change | None:
    """The boundary between two states, if there is one."""
    event = recorded.event
    kind: Kind
    if before is None and after is None:
        return None
    if before is None:
        kind = ENTERED[event.event_type]
    elif after is None:
        kind = LEFT[event.event_type]
    elif before.attributes.state == after.attributes.state:
        return None
    elif before.attributes.provider_id != after.attributes.provider_id:
        kind = "provider_changed"
    else:
        kind = "attributes_changed"
    return Change(
        kind,
        event.occurred_at,
        recorded.position,
        event.origin,
        before.attributes if before else None,
        after.attributes if after else None,
    )


def _closed(state: State, by: Recorded | None) -> Version:
    """The version that *state* was, ended by an event or still open."""
    return Version(
        state.opened_attributes,
        state.valid_from,
        by.event.occurred_at if by else None,
        state.entered_at,
        state.provider_since,
        state.opened_by,
        by.position if by else None,
    )
