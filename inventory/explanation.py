"""
The law's steps in words: what each event did to a number, and which event set each of its fields.

Pure: steps in, sentences out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from inventory.event import Attributes, Recorded
from inventory.lifecycle import Change, Step


class Setter(NamedTuple):
    """Who gave a field the value it has."""

    field: str
    value: str | None
    recorded: Recorded


def of_number(account_id: str, phone_number_id: str, steps: Sequence[Step]) -> Iterator[str]:
    """Lines that explain one number: how it stands, what happened, and who set what."""
    yield f"number {phone_number_id} of account {account_id}: {standing(steps[-1])}"
    yield ""
    late = _late(steps)
    for step in steps:
        recorded = step.recorded
        event = recorded.event
        yield (
            f"  {_instant(event.occurred_at)}  #{recorded.position:<6} {event.event_type:<8} "
            f"{deed(step)}"
        )
        if recorded.position in late:
            yield (
                f"{'':24}recorded {_instant(recorded.recorded_at)}, after younger events of it: "
                "what was said of that time changed then"
            )
    setters = fields(steps)
    if setters:
        yield ""
        for setter in setters:
            event = setter.recorded.event
            yield (
                f"  {setter.field:<15}{_shown(setter.value):<32} "
                f"since {_instant(event.occurred_at)}, by #{setter.recorded.position} "
                f"({event.origin}), known {_instant(setter.recorded.recorded_at)}"
            )
    yield ""


def standing(step: Step) -> str:
    """How a number stands after *step*, in a sentence."""
    if step.after is None:
        when = step.change.changed_at if step.change else step.recorded.event.occurred_at
        return f"not in Contact Center (last word {_instant(when)})"
    sentence = f"in Contact Center as {_called(step.after.attributes)}"
    if step.after.unverified_since is not None:
        sentence += (
            f"; unverified since {_instant(step.after.unverified_since)}: an Updated that changed "
            "nothing may have meant that it was reassigned away"
        )
    return sentence


def deed(step: Step) -> str:
    """What the event of *step* did, in a sentence."""
    if step.change is not None:
        return _change(step.change)
    if step.after is None:
        return "changed nothing: it was not in"
    if step.after.unverified_since == step.recorded.event.occurred_at and (
        step.before is not None and step.before.unverified_since is None
    ):
        return "changed nothing, which leaves in doubt whether it was reassigned away"
    if step.before is not None and step.before.unverified_since and not step.after.unverified_since:
        return "changed nothing, and dispelled the doubt"
    return "changed nothing"


def fields(steps: Sequence[Step]) -> list[Setter]:
    """For each field of a number that is in: its value, and the event that gave it that value."""
    final = steps[-1].after
    if final is None:
        return []
    setters: dict[str, Setter] = {}
    for step in steps:
        if step.after is None:
            setters.clear()
            continue
        for field, value in step.after.attributes._asdict().items():
            if field not in setters or setters[field].value != value:
                setters[field] = Setter(field, value, step.recorded)
    return [setters[field] for field in Attributes._fields]


def _change(change: Change) -> str:
    before, after = change.before, change.after
    match change.kind:
        case "created":
            return f"created as {_called(after)}"
        case "reassigned_in":
            return f"converted to Contact Center as {_called(after)}"
        case "reassigned_out":
            return f"reassigned away from {_provider(before)} to another use"
        case "deleted":
            return f"deleted; it was with {_provider(before)}"
        case "provider_changed":
            return f"moved from {_provider(before)} to {_provider(after)}{_others(change)}"
        case "attributes_changed":
            return f"changed {_differences(change, Attributes._fields)}"


def _others(change: Change) -> str:
    rest = [name for name in Attributes._fields if not name.startswith("provider")]
    differences = _differences(change, rest)
    return f", and changed {differences}" if differences else ""


def _differences(change: Change, names: Sequence[str]) -> str:
    before, after = change.before or Attributes(), change.after or Attributes()
    return ", ".join(
        f"{name} from {_shown(getattr(before, name))} to {_shown(getattr(after, name))}"
        for name in names
        if name != "uri" and getattr(before, name) != getattr(after, name)
    )


def _late(steps: Sequence[Step]) -> set[int]:
    """Positions of the events that were recorded after younger ones."""
    late = set()
    soonest: int | None = None
    for step in reversed(steps):
        position = step.recorded.position
        if soonest is not None and position > soonest:
            late.add(position)
        soonest = position if soonest is None else min(soonest, position)
    return late


def _called(attributes: Attributes | None) -> str:
    if attributes is None:
        return "nothing"
    return f"{attributes.phone_number or 'a number unnamed'} with {_provider(attributes)}"


def _provider(attributes: Attributes | None) -> str:
    if attributes is None or attributes.provider_id is None:
        return "no named provider"
    name = f" ({attributes.provider_name})" if attributes.provider_name else ""
    return f"provider {attributes.provider_id}{name}"


def _shown(value: str | None) -> str:
    return "nothing" if value is None else value


def _instant(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
