"""What each event did, in words: alone, beside the event before it, and to what had been said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from inventory.event import Attributes, Recorded
from inventory.explanation.words import OUT, answer, called, change, differences, instant
from inventory.hindsight import Revision
from inventory.lifecycle import Step


class Setter(NamedTuple):
    """Who gave a field the value it has."""

    field: str
    value: str | None
    recorded: Recorded


def standing(step: Step) -> str:
    """How a number stands after *step*, in a sentence."""
    if step.after is None:
        when = step.change.changed_at if step.change else step.recorded.event.occurred_at
        return f"{OUT} (last word {instant(when)})"
    sentence = f"in Contact Center as {called(step.after.attributes)}"
    if step.after.unverified_since is not None:
        sentence += (
            f"; unverified since {instant(step.after.unverified_since)}: an Updated that changed "
            "nothing may have meant that it was reassigned away"
        )
    if step.verified_at is not None:
        sentence += f"; last looked at {instant(step.verified_at)}"
    return sentence


def deed(step: Step, previous: Recorded | None = None) -> str:
    """What the event of *step* did, in a sentence; *previous* is the one that it followed."""
    if step.change is not None:
        return change(step.change)
    nothing = "changed nothing"
    if previous is not None and repeats(step.recorded, previous):
        other = step.recorded.event.subscription_id != previous.event.subscription_id
        nothing += f": it says what #{previous.position} said"
        nothing += " under another subscription" if other else ""
    if step.after is None:
        return nothing if ":" in nothing else f"{nothing}: it was not in"
    doubt = doubted(step)
    if doubt == "raised":
        return f"{nothing}, which leaves in doubt whether it was reassigned away"
    if doubt == "dispelled":
        return f"{nothing}, and dispelled the doubt"
    return nothing


def repeats(recorded: Recorded, previous: Recorded) -> bool:
    """Whether an event says just what the one before it said, as two subscriptions do."""
    one, other = recorded.event, previous.event
    return (one.event_type, one.origin, one.attributes) == (
        other.event_type,
        other.origin,
        other.attributes,
    )


def doubted(step: Step) -> str | None:
    """Whether the event of *step* `raised` a doubt or `dispelled` one."""
    before = step.before.unverified_since if step.before else None
    after = step.after.unverified_since if step.after else None
    if step.after is None or step.before is None or (before is None) == (after is None):
        return None
    return "raised" if before is None else "dispelled"


def revised(revision: Revision) -> str:
    """What a late event did to what had been said, in a sentence."""
    if not revision.changed:
        return f"late: {differed(revision)}"
    span = f"from {instant(revision.valid_from)} to {instant(revision.valid_to)}"
    return f"late: changed what was said {span}: {differed(revision)}"


def differed(revision: Revision) -> str:
    """How what is said since a late event differs from what was said before it."""
    if not revision.changed:
        return "what had been said of that time was right without it"
    before, after = revision.before, revision.after
    if before is not None and after is not None:
        return differences(before, after)
    return f"it was {answer(before)}, it is {answer(after)}"


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
