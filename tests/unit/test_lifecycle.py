"""The law, case by case: given events, when they are folded, then this."""

from __future__ import annotations

from datetime import timedelta

import pytest

from inventory import lifecycle
from inventory.event import Event, EventType, Recorded
from inventory.lifecycle import Step
from tests.histories import START, an_event


def fold(*events: Event) -> list[Step]:
    """Steps over *events*, recorded in the order given."""
    return list(lifecycle.steps(Recorded(at, START, event) for at, event in enumerate(events, 1)))


def kinds(*events: Event) -> list[str | None]:
    return [step.change.kind if step.change else None for step in fold(*events)]


def seconds(step: Step) -> int | None:
    """`unverified_since`, as seconds after the start."""
    since = step.after.unverified_since if step.after else None
    return None if since is None else int((since - START).total_seconds())


@pytest.mark.parametrize(
    ("event_type", "usage_type", "is_in"),
    [
        ("Created", "ContactCenterNumber", True),
        ("Created", None, True),
        ("Created", "DirectNumber", False),
        ("Updated", "ContactCenterNumber", True),
        ("Updated", None, True),
        ("Updated", "DirectNumber", False),
        ("Deleted", "ContactCenterNumber", False),
        ("Deleted", None, False),
        ("Deleted", "DirectNumber", False),
    ],
)
def test_after_an_event_a_number_is_in_or_out(
    event_type: EventType, usage_type: str | None, *, is_in: bool
) -> None:
    (step,) = fold(an_event(event_type=event_type, usage_type=usage_type))
    assert (step.after is not None) is is_in


def test_each_boundary_is_one_change_of_one_kind() -> None:
    assert kinds(
        an_event(event_type="Created", at=0),
        an_event(at=1, provider_id="2"),
        an_event(at=2, provider_id="2", status="Pending"),
        an_event(at=3, provider_id="2", status="Pending"),
        an_event(at=4, usage_type="DirectNumber"),
        an_event(at=5),
        an_event(event_type="Deleted", at=6),
        an_event(event_type="Deleted", at=7),
        an_event(event_type="Created", at=8),
        an_event(event_type="Created", at=9, usage_type="DirectNumber"),
    ) == [
        *("created", "provider_changed", "attributes_changed", None, "reassigned_out"),
        *("reassigned_in", "deleted", None, "created", "reassigned_out"),
    ]


def test_a_new_name_of_the_same_provider_is_no_provider_change() -> None:
    assert kinds(an_event(provider_name="One"), an_event(at=1, provider_name="Uno")) == [
        "reassigned_in",
        "attributes_changed",
    ]


def test_another_uri_alone_makes_no_version() -> None:
    steps = fold(an_event(uri="https://one"), an_event(at=1, uri="https://two"))
    (version,) = lifecycle.versions(steps)
    assert version.attributes.uri == "https://one"
    assert steps[-1].after is not None
    assert steps[-1].after.attributes.uri == "https://two"


def test_arrival_does_not_matter_only_occurrence_does() -> None:
    events = [
        an_event(event_type="Created", at=0),
        an_event(at=5, provider_id="2"),
        an_event(event_type="Deleted", at=9),
    ]
    orderly, reverse = fold(*events), fold(*reversed(events))
    assert [step.after for step in orderly][-1] == [step.after for step in reverse][-1] is None
    assert [v.valid_from for v in lifecycle.versions(orderly)] == [
        v.valid_from for v in lifecycle.versions(reverse)
    ]


def test_a_late_event_cannot_bring_back_a_deleted_number() -> None:
    steps = fold(
        an_event(event_type="Created", at=0),
        an_event(event_type="Deleted", at=9),
        an_event(at=5),
    )
    assert steps[-1].after is None


def test_a_deleted_number_can_come_back() -> None:
    *_, last = fold(an_event(event_type="Deleted", at=0), an_event(event_type="Created", at=1))
    assert last.after is not None
    assert last.after.entered_at == START + timedelta(seconds=1)


def test_events_of_one_instant_go_in_the_order_they_were_recorded() -> None:
    steps = fold(an_event(at=3, provider_id="1"), an_event(at=3, provider_id="2"))
    momentary, lasting = lifecycle.versions(steps)
    assert momentary.momentary
    assert not lasting.momentary
    assert lasting.attributes.provider_id == "2"


def test_an_update_that_changes_nothing_leaves_a_number_in_doubt() -> None:
    steps = fold(an_event(), an_event(at=1), an_event(at=2))
    assert [seconds(step) for step in steps] == [None, 1, 1]


@pytest.mark.parametrize(
    ("dispelling", "doubt"),
    [
        (an_event(at=9, origin="observation"), None),
        (an_event(at=9, origin="operator"), None),
        (an_event(at=9, status="Pending"), None),
        (an_event(at=9, event_type="Created"), 1),
        (an_event(at=9), 1),
    ],
)
def test_doubt_stays_until_something_says_more(dispelling: Event, doubt: int | None) -> None:
    *_, last = fold(an_event(), an_event(at=1), dispelling)
    assert seconds(last) == doubt


def test_verified_at_is_the_latest_look() -> None:
    steps = fold(
        an_event(origin="observation", at=1),
        an_event(at=2, status="Pending"),
        an_event(origin="operator", at=3, status="Pending"),
    )
    assert {step.verified_at for step in steps} == {START + timedelta(seconds=1)}


def test_provider_since_outlives_other_changes_but_not_an_absence() -> None:
    steps = fold(
        an_event(at=0),
        an_event(at=1, status="Pending"),
        an_event(at=2, event_type="Deleted"),
        an_event(at=3),
    )
    since = [step.after and step.after.provider_since - START for step in steps]
    assert since == [timedelta(0), timedelta(0), None, timedelta(seconds=3)]


def test_versions_adjoin_and_never_overlap() -> None:
    steps = fold(*(an_event(at=at, provider_id=str(at % 2)) for at in range(6)))
    versions = lifecycle.versions(steps)
    assert [v.valid_to for v in versions[:-1]] == [v.valid_from for v in versions[1:]]
    assert versions[-1].valid_to is None
