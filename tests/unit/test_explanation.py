"""The law's steps, in words."""

from __future__ import annotations

from inventory import explanation, lifecycle
from inventory.event import Event, Recorded
from tests.histories import START, an_event


def explained(*events: Event) -> str:
    steps = list(lifecycle.steps(Recorded(at, START, event) for at, event in enumerate(events, 1)))
    return "\n".join(explanation.of_number("1", "7", steps))


def test_each_event_says_what_it_did() -> None:
    words = explained(
        an_event(event_type="Created", at=0, provider_name="One"),
        an_event(at=1, provider_id="2", status="Pending"),
        an_event(at=2, provider_id="2", status="Pending"),
        an_event(at=3, provider_id="2", status="Pending", origin="observation"),
        an_event(at=4, usage_type="DirectNumber", provider_id="2"),
        an_event(at=5, event_type="Deleted"),
        an_event(at=6),
    )
    for sentence in (
        "created as +12025550001 with provider 1 (One)",
        "moved from provider 1 (One) to provider 2, and changed status from Normal to Pending",
        "changed nothing, which leaves in doubt whether it was reassigned away",
        "changed nothing, and dispelled the doubt",
        "reassigned away from provider 2 to another use",
        "changed nothing: it was not in",
        "converted to Contact Center as +12025550001 with provider 1",
    ):
        assert sentence in words


def test_each_field_names_the_event_that_set_it() -> None:
    steps = list(
        lifecycle.steps(
            [
                Recorded(1, START, an_event(at=0)),
                Recorded(2, START, an_event(at=1, status="Pending")),
                Recorded(3, START, an_event(at=2, status="Pending", provider_id="2")),
            ]
        )
    )
    by = {setter.field: setter.recorded.position for setter in explanation.fields(steps)}
    assert (by["phone_number"], by["status"], by["provider_id"]) == (1, 2, 3)


def test_a_late_event_is_said_to_be_late() -> None:
    assert "after younger events" not in explained(an_event(at=0), an_event(at=1))
    assert "after younger events" in explained(an_event(at=1), an_event(at=0))


def test_a_number_that_left_says_so() -> None:
    assert "not in Contact Center" in explained(an_event(), an_event(at=1, event_type="Deleted"))
