"""The law's steps, in words."""

from __future__ import annotations

from datetime import timedelta

from inventory import explanation, lifecycle
from inventory.event import Event, Recorded
from inventory.lifecycle import Step
from tests.histories import START, an_event


def taken(*events: Event, source: str | None = None) -> list[Step]:
    """The steps of events that were recorded one by one, an hour apart."""
    return list(
        lifecycle.steps(
            Recorded(at, START + timedelta(hours=at), event, source)
            for at, event in enumerate(events, 1)
        )
    )


def explained(*events: Event, source: str | None = None) -> str:
    return "\n".join(explanation.of_number("1", "7", taken(*events, source=source)))


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
        "changed nothing: it says what #2 said, which leaves in doubt whether it was reassigned away",
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


def test_a_late_event_is_said_to_be_late_and_what_it_changed() -> None:
    assert "late" not in explained(an_event(at=0), an_event(at=1))
    words = explained(
        an_event(at=0), an_event(at=20, status="Pending"), an_event(at=10, provider_id="2")
    )
    assert (
        "recorded 2026-03-01 03:00:00Z, after younger events of it; late: changed what was said "
        "from 2026-03-01 00:00:10Z to 2026-03-01 00:00:20Z: provider_id from 1 to 2"
    ) in words
    assert "was said of that time" not in words
    assert "had been said of that time was right without it" in explained(
        an_event(at=0), an_event(at=20, status="Pending"), an_event(at=10)
    )
    assert "it was not in Contact Center, it is in Contact Center as +12025550001" in explained(
        an_event(at=20), an_event(at=10)
    )


def test_events_of_one_append_are_not_late_for_each_other() -> None:
    together = [Recorded(1, START, an_event(at=1)), Recorded(2, START, an_event(at=0))]
    words = explanation.of_number("1", "7", list(lifecycle.steps(together)))
    assert "late" not in "\n".join(words)


def test_a_repeat_under_another_subscription_says_what_it_repeats() -> None:
    once = an_event(event_type="Created", at=0)
    again = an_event(event_type="Created", at=1)._replace(subscription_id="another")
    assert "changed nothing: it says what #1 said under another subscription" in explained(
        once, again
    )
    assert "changed nothing: it says what #1 said," in explained(an_event(at=0), an_event(at=1))
    deleted = [an_event(event_type="Deleted", at=at) for at in (1, 2)]
    assert explained(an_event(at=0), *deleted).count("changed nothing: it says what #2 said\n") == 1
    assert "says what" not in explained(once, an_event(event_type="Updated", at=1))


def test_each_field_says_where_its_value_came_from() -> None:
    for origin, source, words in (
        ("notification", "webhook", "notification by webhook"),
        ("notification", "file:may.ndjson.gz", "notification by file may.ndjson.gz"),
        ("observation", "confirmation", "observation by confirmation"),
        ("observation", "reconciliation:12", "observation by reconciliation 12"),
        ("operator", "operator:alice", "operator alice"),
        ("notification", None, "notification"),
    ):
        event = an_event(origin=origin)  # type: ignore[arg-type]
        lines = explained(event, source=source).splitlines()
        (status,) = (line for line in lines if line.startswith("  status "))
        assert status.split() == [
            *("status", "Normal", "since", "2026-03-01", "00:00:00Z,", "by", "#1"),
            *f"({words}), known 2026-03-01 01:00:00Z".split(),
        ]


def test_programs_are_told_why_a_correction_was_made() -> None:
    event = an_event(origin="operator", status="Pending")._replace(
        payload='{"operator": "alice", "reason": "the carrier wrote so"}'
    )
    steps = taken(event, source="operator:alice")
    record = explanation.record_of_number("1", "7", steps)
    assert record["fields"]["status"]["reason"] == "the carrier wrote so"
    assert record["events"][0]["reason"] == "the carrier wrote so"
    # What calls itself a correction and is none has no reason.
    pushed = event._replace(origin="notification")
    assert explanation.record_of_number("1", "7", taken(pushed))["events"][0]["reason"] is None


def test_payloads_are_shown_as_they_arrived_when_asked_for() -> None:
    event = an_event()._replace(payload='{\n  "uuid": "1"\n}')
    for words, shown in (
        (explanation.of_number("1", "7", taken(event), payloads=True), True),
        (explanation.of_number("1", "7", taken(event)), False),
    ):
        lines = [line.strip() for line in words]
        assert ('"uuid": "1"' in lines) is shown
    record = explanation.record_of_number("1", "7", taken(event), payloads=True)
    assert record["events"][0]["payload"] == event.payload


def test_programs_are_told_what_people_are() -> None:
    steps = taken(
        an_event(event_type="Created", at=0),
        an_event(at=20, status="Pending"),
        an_event(at=30, status="Pending"),
        an_event(at=10, location="Mars"),
        source="webhook",
    )
    record = explanation.record_of_number("1", "7", steps)
    assert record["inside"] is True
    assert record["unverified_since"] == START + timedelta(seconds=30)
    status = record["fields"]["status"]
    assert (status["value"], status["position"], status["source"]) == ("Pending", 2, "webhook")
    assert status["occurred_at"] == START + timedelta(seconds=20)
    assert status["recorded_at"] == START + timedelta(hours=2)
    events = {event["position"]: event for event in record["events"]}
    assert list(events) == [1, 4, 2, 3]
    assert [event["kind"] for event in events.values()] == [
        *("created", "attributes_changed", "attributes_changed"),
        None,
    ]
    assert (events[3]["doubt"], events[3]["repeats"]) == ("raised", 2)
    assert events[4]["late"]["changed"] is True
    assert events[4]["late"]["valid_to"] == START + timedelta(seconds=20)
    assert (events[4]["late"]["before"]["location"], events[4]["after"]["location"]) == (
        None,
        "Mars",
    )
    assert events[2]["late"] is None


def test_a_number_nothing_was_known_of_says_so() -> None:
    assert "nothing of it had occurred and was known" in explained()
    record = explanation.record_of_number("1", "7", [])
    assert (record["inside"], record["fields"], record["events"]) == (False, {}, [])


def test_a_number_that_left_says_so() -> None:
    assert "not in Contact Center" in explained(an_event(), an_event(at=1, event_type="Deleted"))


def test_an_operator_is_named_with_the_reason() -> None:
    event = an_event(at=0, origin="operator")
    said = event._replace(payload='{"operator": "ann", "reason": "the carrier says so"}')
    assert "(operator ann: the carrier says so)" in explained(said, source="operator:ann")
    assert "(operator ann)" in explained(event._replace(payload=""), source="operator:ann")
