"""What late events changed, against the fold before and the fold after."""

from __future__ import annotations

import random
from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory import hindsight, lifecycle
from inventory.event import Event, Recorded
from inventory.hindsight import Revision
from tests.histories import START, an_event, cut, histories

Answer = tuple[str | None, ...] | None


def in_appends(history: Sequence[Event], cuts: Sequence[int]) -> list[Recorded]:
    """The log of one number's *history*, appended in batches an hour apart."""
    log: list[Recorded] = []
    for hour, batch in enumerate(cut(history, cuts), 1):
        for event in batch:
            moved = event._replace(phone_number_id="7")
            log.append(Recorded(len(log) + 1, START + timedelta(hours=hour), moved))
    return log


def said(log: Sequence[Recorded], at: datetime) -> Answer:
    """What the fold says of a time."""
    until = [recorded for recorded in log if recorded.event.occurred_at <= at]
    state: lifecycle.State | None = None
    for step in lifecycle.steps(until):
        state = step.after
    return None if state is None else state.attributes.state


def by_both_folds(log: Sequence[Recorded]) -> set[tuple[datetime, datetime, Answer, Answer]]:
    """When an append changed what was said of a time before the youngest event known."""
    changed = set()
    for recorded_at in sorted({recorded.recorded_at for recorded in log}):
        before = [recorded for recorded in log if recorded.recorded_at < recorded_at]
        since = [recorded for recorded in log if recorded.recorded_at <= recorded_at]
        newest = max((recorded.event.occurred_at for recorded in before), default=START)
        at = START
        while at < newest:
            was, is_ = said(before, at), said(since, at)
            if was != is_:
                changed.add((recorded_at, at, was, is_))
            at += timedelta(seconds=0.5)
    return changed


def by_hindsight(log: Sequence[Recorded]) -> set[tuple[datetime, datetime, Answer, Answer]]:
    changed = set()
    for revision in hindsight.revisions(log):
        at = revision.valid_from
        while revision.changed and at < revision.valid_to:
            was, is_ = revision.before, revision.after
            changed.add((revision.recorded.recorded_at, at, was and was.state, is_ and is_.state))
            at += timedelta(seconds=0.5)
    return changed


@given(history=histories(), cuts=st.lists(st.integers(0, 25), max_size=6), seed=st.integers(0, 99))
def test_what_is_said_to_have_changed_is_where_the_folds_before_and_after_differ(
    history: list[Event], cuts: list[int], seed: int
) -> None:
    log = in_appends(history, cuts)
    assert by_hindsight(random.Random(seed).sample(log, len(log))) == by_both_folds(log)


@given(history=histories(), cuts=st.lists(st.integers(0, 25), max_size=6))
def test_every_late_event_is_told_of_once_and_no_other(
    history: list[Event], cuts: list[int]
) -> None:
    log = in_appends(history, cuts)
    late = [
        recorded.position
        for recorded in log
        if any(
            other.recorded_at < recorded.recorded_at
            and other.event.occurred_at > recorded.event.occurred_at
            for other in log
        )
    ]
    assert [revision.recorded.position for revision in hindsight.revisions(log)] == late


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("inside", lambda _: True),
        ("bisect_right", bisect_left),
        ("groupby", lambda log, key: [(key, [recorded]) for recorded in log]),
        ("groupby", lambda log, key: [(key, list(log))]),
        ("insort", lambda known, place: known.append(place)),
    ],
)
def test_wrong_hindsight_would_be_found_out(
    monkeypatch: pytest.MonkeyPatch, name: str, wrong: Any
) -> None:
    assert not _some_answer_differs()
    monkeypatch.setattr(hindsight, name, wrong, raising=False)
    assert _some_answer_differs()


def _some_answer_differs() -> bool:
    chance = random.Random(1)
    for _ in range(40):
        history = [
            an_event(
                "7",
                chance.choice(("Created", "Updated", "Updated", "Deleted")),
                chance.randrange(6),
                provider_id=chance.choice("12"),
            )
            for _ in range(9)
        ]
        log = in_appends(history, (2, 4, 7))
        try:
            if by_hindsight(log) != by_both_folds(log):
                return True
        except IndexError:
            return True
    return False


def test_a_late_event_tells_what_was_said_from_then_until_the_next() -> None:
    log = in_appends(
        [
            an_event("7", "Created", 0),
            an_event("7", "Updated", 60, status="Pending"),
            an_event("7", "Deleted", 30),
            an_event("7", "Created", 30, uuid="x"),
        ],
        (2, 3),
    )
    first, second = hindsight.revisions(log)
    assert isinstance(first, Revision)
    assert (first.valid_from, first.valid_to) == (
        START + timedelta(seconds=30),
        START + timedelta(seconds=60),
    )
    assert first.before is not None
    assert first.after is None
    assert (second.before, second.after) == (None, first.before)
