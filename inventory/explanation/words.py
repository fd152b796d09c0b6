"""Words for attributes, instants, changes and sources."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from inventory.correction import reason_of
from inventory.event import Attributes, Recorded
from inventory.lifecycle import Change

OUT = "not in Contact Center"


def instant(at: datetime) -> str:
    """To the second, in UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def shown(value: str | None) -> str:
    """A field's value."""
    return "nothing" if value is None else value


def provider(attributes: Attributes | None) -> str:
    """A provider by its id, and its name if one was sent."""
    if attributes is None or attributes.provider_id is None:
        return "no named provider"
    name = f" ({attributes.provider_name})" if attributes.provider_name else ""
    return f"provider {attributes.provider_id}{name}"


def called(attributes: Attributes | None) -> str:
    """A number by its E.164 number and its provider."""
    if attributes is None:
        return "nothing"
    return f"{attributes.phone_number or 'a number unnamed'} with {provider(attributes)}"


def answer(attributes: Attributes | None) -> str:
    """What is said of a number at a time."""
    return OUT if attributes is None else f"in Contact Center as {called(attributes)}"


def differences(
    before: Attributes, after: Attributes, names: Sequence[str] = Attributes._fields
) -> str:
    """
    What differs, field by field; `uri` makes no difference.

    >>> differences(Attributes(status="Normal"), Attributes(status="Pending", uri="https://…"))
    'status from Normal to Pending'
    """
    return ", ".join(
        f"{name} from {shown(getattr(before, name))} to {shown(getattr(after, name))}"
        for name in names
        if name != "uri" and getattr(before, name) != getattr(after, name)
    )


def change(done: Change) -> str:
    """What a change did to the number."""
    before, after = done.before or Attributes(), done.after or Attributes()
    match done.kind:
        case "created":
            return f"created as {called(after)}"
        case "reassigned_in":
            return f"converted to Contact Center as {called(after)}"
        case "reassigned_out":
            return f"reassigned away from {provider(before)} to another use"
        case "deleted":
            return f"deleted; it was with {provider(before)}"
        case "provider_changed":
            rest = differences(before, after, _BESIDE_PROVIDER)
            also = f", and changed {rest}" if rest else ""
            return f"moved from {provider(before)} to {provider(after)}{also}"
        case "attributes_changed":
            return f"changed {differences(before, after)}"


_BESIDE_PROVIDER = tuple(name for name in Attributes._fields if not name.startswith("provider"))


def whence(recorded: Recorded) -> str:
    """
    Where an event came from.

    A notification by webhook, WebSocket or file; an observation and what looked; an operator and
    the reason given, where the payload was read.
    """
    origin, source = recorded.event.origin, recorded.source
    if source is None:
        return origin
    kind, _, name = source.partition(":")
    if kind == "file":
        source = f"file {name}"
    elif kind == "reconciliation" and name:
        source = f"reconciliation {name}"
    elif kind == "operator" and name:
        reason = reason_of(recorded.event)
        return f"operator {name}" + (f": {reason}" if reason else "")
    return f"{origin} by {source}"
