"""What an event did when it came, in words and for programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from inventory.explanation.number import record_of_step
from inventory.explanation.steps import deed, revised, standing
from inventory.explanation.words import instant, whence
from inventory.replay import Replayed


def of_replayed(replayed: Replayed) -> Iterator[str]:
    """Lines that say what one event did when it came."""
    recorded = replayed.step.recorded
    event = recorded.event
    yield (
        f"#{recorded.position:<7} {instant(event.occurred_at)}  {event.phone_number_id}  "
        f"{event.event_type:<8} {deed(replayed.step, replayed.previous)} ({whence(recorded)})"
    )
    if replayed.misplaced:
        came = f"recorded {instant(recorded.recorded_at)}, after younger events of it"
        if replayed.revision is None:
            yield f"{'':9}{came}, but with them: nothing had been said without it"
        else:
            yield f"{'':9}{came}; {revised(replayed.revision)}"
        yield f"{'':9}the number stands: {standing(replayed.standing)}"


def record_of_replayed(replayed: Replayed) -> dict[str, Any]:
    """The same for programs."""
    now = replayed.standing.after
    return record_of_step(replayed.step, replayed.previous, replayed.revision) | {
        "misplaced": replayed.misplaced,
        "inside": now is not None,
        "unverified_since": now and now.unverified_since,
    }
