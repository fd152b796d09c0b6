"""
History again, as it was recorded: what each event did when it came.

A log is in the order in which we learned of things, the law takes them in the order in which they
occurred. An event that is the youngest of its number follows the others; one that is not goes to
its place among them, and may change what had been said of the past. Pure, but for the way to a
number's earlier events, which the caller gives; what is kept is one step a number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from inventory.event import Recorded
from inventory.hindsight import Revision, revisions
from inventory.lifecycle import Step, follow, order, steps


@dataclass(frozen=True, slots=True)
class Replayed:
    """What one event did when it came."""

    step: Step
    """What it did in its place among the events recorded before it."""
    previous: Recorded | None
    """The event before that place; null: there is none."""
    misplaced: bool
    """Whether it was not the youngest of its number, if only beside one of its own append."""
    revision: Revision | None
    """What it did to what had been said; null: nothing had been said without it."""
    standing: Step
    """How the number stands since: the step of its youngest event."""


class Replay:
    """
    A walk along the logs of accounts, each in the order of its positions.

    Args:
        known_with: Gives all that had been recorded of an event's number once its append was done.
    """

    def __init__(self, known_with: Callable[[Recorded], Sequence[Recorded]]) -> None:
        self._known_with = known_with
        self._youngest: dict[tuple[str, str], Step] = {}

    def take(self, recorded: Recorded) -> Replayed:
        """The next event."""
        key = recorded.event.account_id, recorded.event.phone_number_id
        youngest = self._youngest.get(key)
        if youngest is None or order(youngest.recorded) < order(recorded):
            step = self._youngest[key] = follow(youngest, recorded)
            previous = youngest.recorded if youngest else None
            return Replayed(step, previous, misplaced=False, revision=None, standing=step)
        known = self._known_with(recorded)
        taken = list(steps(each for each in known if each.position <= recorded.position))
        self._youngest[key] = taken[-1]
        at = [step.recorded.position for step in taken].index(recorded.position)
        return Replayed(
            taken[at],
            taken[at - 1].recorded if at else None,
            misplaced=True,
            revision=_revision(known, recorded),
            standing=taken[-1],
        )


def _revision(known: Sequence[Recorded], recorded: Recorded) -> Revision | None:
    return next(
        (each for each in revisions(known) if each.recorded.position == recorded.position), None
    )
