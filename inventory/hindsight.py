"""
What late events changed: answers about the past, before we knew and since.

An event is *late* when a younger one of its number had been recorded before it came: what was said
of the time from it to the next had been said without it. Events of one append came together, and
nobody was ever told of one without the other; so none is late for another.

Pure, and the law's first sentence is all it needs: at any time a number is as its latest event
until then says.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from inventory.event import Attributes, Recorded
from inventory.lifecycle import inside


class Revision(NamedTuple):
    """What a late event did to what is said of `[valid_from, valid_to)`."""

    recorded: Recorded
    valid_from: datetime
    """When the event occurred."""
    valid_to: datetime
    """When the next one did. The same instant: another event of it, recorded with it, is obeyed."""
    before: Attributes | None
    """What was said until it was recorded; null: that the number was not in."""
    after: Attributes | None
    """What has been said since."""

    @property
    def changed(self) -> bool:
        """Whether an answer differs: in or out, or an attribute whose change makes a version."""
        before, after = self.before, self.after
        return (before and before.state) != (after and after.state)


def revisions(log: Iterable[Recorded]) -> Iterator[Revision]:
    """
    What each late event of one number did, in the order they were recorded.

    Also those that changed no answer. Assumes that *log* holds events of one number only, each
    once, in any order.
    """
    known: list[_Place] = []
    in_order = sorted(log, key=attrgetter("position"))
    for _, together in groupby(in_order, key=attrgetter("recorded_at")):
        appended = list(together)
        late = [
            (recorded, _said(known, recorded.event.occurred_at))
            for recorded in appended
            if known and recorded.event.occurred_at < known[-1].occurred_at
        ]
        for recorded in appended:
            insort(known, _Place(recorded.event.occurred_at, recorded.position, recorded))
        for recorded, before in late:
            yield _revision(known, recorded, before)


class _Place(NamedTuple):
    """An event in the order of the law: positions differ, so the third is never compared."""

    occurred_at: datetime
    position: int
    recorded: Recorded


def _revision(known: list[_Place], recorded: Recorded, before: Attributes | None) -> Revision:
    at = recorded.event.occurred_at
    following = bisect_right(known, at, key=_occurred_at)
    if known[following - 1].recorded is not recorded:
        return Revision(recorded, at, at, before, before)
    return Revision(recorded, at, known[following].occurred_at, before, _said(known, at))


def _said(known: list[_Place], at: datetime) -> Attributes | None:
    """What the events in *known* say of a time; null: not in."""
    following = bisect_right(known, at, key=_occurred_at)
    if following == 0:
        return None
    event = known[following - 1].recorded.event
    return event.attributes if inside(event) else None


_occurred_at = attrgetter("occurred_at")
