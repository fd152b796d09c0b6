"""A log walked event by event, against the fold over what was recorded until each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory import explanation, hindsight, lifecycle, replay
from inventory.event import Event, Recorded
from inventory.replay import Replay, Replayed
from tests.histories import START, an_event, cut, histories


def in_appends(history: Sequence[Event], cuts: Sequence[int]) -> list[Recorded]:
    """The log of *history*, appended in batches an hour apart."""
    log: list[Recorded] = []
    for hour, batch in enumerate(cut(history, cuts), 1):
        for event in batch:
            log.append(Recorded(len(log) + 1, START + timedelta(hours=hour), event))
    return log


def of_number(log: Sequence[Recorded], recorded: Recorded) -> list[Recorded]:
    number = recorded.event.phone_number_id
    return [each for each in log if each.event.phone_number_id == number]


def replayed(log: Sequence[Recorded]) -> list[Replayed]:
    walk = Replay(
        lambda recorded: [
            each for each in of_number(log, recorded) if each.recorded_at <= recorded.recorded_at
        ]
    )
    return [walk.take(recorded) for recorded in log]


def by_the_law(log: Sequence[Recorded]) -> list[Replayed]:
    """The same, folding everything anew for each event."""
    found = []
    for recorded in log:
        mine = of_number(log, recorded)
        steps = list(lifecycle.steps(each for each in mine if each.position <= recorded.position))
        (at,) = (n for n, step in enumerate(steps) if step.recorded is recorded)
        found.append(
            Replayed(
                steps[at],
                steps[at - 1].recorded if at else None,
                at < len(steps) - 1,
                next((r for r in hindsight.revisions(mine) if r.recorded is recorded), None),
                steps[-1],
            )
        )
    return found


@given(history=histories(), cuts=st.lists(st.integers(0, 25), max_size=6))
def test_each_event_does_what_it_did_when_it_came(history: list[Event], cuts: list[int]) -> None:
    log = in_appends(history, cuts)
    assert replayed(log) == by_the_law(log)


SOME = in_appends(
    [
        an_event(at=at, provider_id=provider)
        for at, provider in zip((1, 4, 2, 3, 0, 4, 5), "1213221", strict=True)
    ],
    (2, 4, 5),
)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("order", lambda recorded: recorded.position),
        ("follow", lambda _, recorded: lifecycle.follow(None, recorded)),
        ("revisions", lambda _: []),
        ("revisions", lambda known: hindsight.revisions(known[:-1])),
    ],
)
def test_a_wrong_walk_would_be_found_out(
    monkeypatch: pytest.MonkeyPatch, name: str, wrong: Callable[..., Any]
) -> None:
    assert replayed(SOME) == by_the_law(SOME)
    monkeypatch.setattr(replay, name, wrong)
    assert replayed(SOME) != by_the_law(SOME)


def test_only_what_is_not_the_youngest_is_looked_up() -> None:
    asked = []

    def known_with(recorded: Recorded) -> list[Recorded]:
        asked.append(recorded.position)
        return [each for each in SOME if each.recorded_at <= recorded.recorded_at]

    walk = Replay(known_with)
    for recorded in SOME:
        walk.take(recorded)
    assert asked == [3, 4, 5]


def test_what_came_late_is_told_with_what_it_changed_and_how_the_number_stands() -> None:
    log = in_appends(
        [an_event(at=0), an_event(at=20, status="Pending"), an_event(at=10, location="Mars")], (2,)
    )
    words = [list(explanation.of_replayed(each)) for each in replayed(log)]
    assert [len(lines) for lines in words] == [1, 1, 3]
    assert words[2][0].endswith("Updated  changed location from nothing to Mars (notification)")
    assert words[2][1].endswith(
        "after younger events of it; late: changed what was said from 2026-03-01 00:00:10Z "
        "to 2026-03-01 00:00:20Z: location from nothing to Mars"
    )
    assert words[2][2].endswith("stands: in Contact Center as +12025550001 with provider 1")
    record = explanation.record_of_replayed(replayed(log)[2])
    assert (record["misplaced"], record["inside"], record["late"]["changed"]) == (True,) * 3

    (together,) = (
        list(explanation.of_replayed(e))
        for e in replayed(in_appends([an_event(at=1), an_event(at=0)], ()))
        if e.misplaced
    )
    assert "but with them: nothing had been said without it" in together[1]
