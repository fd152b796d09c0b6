"""Asking about the past, as people do."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from inventory import sample
from tests.conftest import Command


def rows(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_number_is_shown_and_its_history_told_as_of_a_time(filled: Command) -> None:
    def shown(*clocks: str) -> list[dict[str, Any]]:
        return rows(filled("number", "show", sample.DEMO_NUMBER, *clocks).stdout)

    assert [row["provider_id"] for row in shown("--at", "2026-02-01")] == ["12345"]
    assert shown("--at", "2026-05-20") == []
    assert shown("--known-at", "2026-01-01") == []
    told = rows(filled("number", "history", sample.DEMO_NUMBER, "--at", "2026-04-01T00:00Z").stdout)
    assert [(version["provider_id"], version["valid_to"]) for version in told] == [
        ("12345", "2026-03-14T09:30:00.125000Z"),
        ("7", None),
    ]
    now = filled("number", "history", sample.DEMO_NUMBER)
    assert filled("number", "history", sample.DEMO_NUMBER, "--at", "-0d").stdout == now.stdout
    few = filled("number", "history", sample.DEMO_NUMBER, "--at", "-0d", "--limit", "1")
    assert few.stdout.splitlines() == now.stdout.splitlines()[:1]


def test_what_was_known_before_a_late_notification_is_told_without_it(filled: Command) -> None:
    (late,) = (
        event
        for event in rows(filled("event", "list", "--number", sample.DEMO_NUMBER).stdout)
        if event["location"] == "Arlington, VA"
    )
    learned = datetime.fromisoformat(late["recorded_at"])
    for known_at, location in (
        (learned - timedelta(microseconds=1), "Washington, DC"),
        (learned, "Arlington, VA"),
    ):
        clocks = ["--at", "2026-05-01", "--known-at", known_at.isoformat()]
        (row,) = rows(filled("number", "show", "987654321", *clocks).stdout)
        assert row["location"] == location
    words = filled("number", "explain", "987654321", "--at", "2026-05-01").stdout
    assert "in Contact Center as +12024999741 with provider 7 (Five9)" in words
    assert "reassigned away" not in words


def test_a_number_is_explained_to_programs_as_to_people(filled: Command) -> None:
    words = filled("number", "explain", sample.DEMO_NUMBER).stdout
    assert (
        "late: changed what was said from 2026-04-14 09:30:00Z to 2026-05-14 09:30:00Z: "
        "location from Washington, DC to Arlington, VA"
    ) in words
    assert "notification by file part-" in words
    (record,) = json.loads(filled("number", "explain", "987654321", "--format", "json").stdout)
    (same,) = rows(
        filled("number", "explain", "987654321", "--format", "ndjson", "--payload").stdout
    )
    payloads = [event.pop("payload") for event in same["events"]]
    assert same == record
    first = json.dumps(sample.documented_notification(), ensure_ascii=False)
    assert payloads[0] == first
    assert first in filled("number", "explain", "987654321", "--payload").stdout
    provider = record["fields"]["provider_id"]
    assert (provider["value"], provider["source"][:10]) == ("7", "file:part-")
    assert sum(event["late"] is not None for event in record["events"]) == 1


def test_changes_are_listed_as_they_were_known(filled: Command) -> None:
    account = ["--account", sample.DOCUMENTED_ACCOUNT]
    now = rows(filled("change", "list", *account).stdout)
    (event,) = (
        event
        for event in rows(filled("event", "list", "--number", sample.DEMO_NUMBER).stdout)
        if event["location"] == "Arlington, VA"
    )
    (late,) = (change for change in now if change["position"] == event["position"])
    known_at = datetime.fromisoformat(event["recorded_at"])
    before = (known_at - timedelta(microseconds=1)).isoformat()
    then = rows(filled("change", "list", *account, "--known-at", before).stdout)
    assert late not in then
    assert 0 < len(then) < len(now)
    since = rows(filled("change", "list", *account, "--known-at", event["recorded_at"]).stdout)
    assert late in since
    until = "2026-04-01T00:00:00Z"
    moved = rows(filled("reassignment", "list", *account, "--at", until).stdout)
    everything = rows(filled("reassignment", "list", *account).stdout)
    assert moved == [change for change in everything if change["changed_at"] <= until]
    assert 0 < len(moved) < len(everything)


def test_an_e164_number_that_several_ids_held_is_explained_for_all_of_them(
    filled: Command,
) -> None:
    held: dict[str, list[str]] = {}
    for change in rows(filled("change", "list").stdout)[::-1]:
        held.setdefault(change["phone_number"], []).append(change["phone_number_id"])
    number, ids = next((n, list(dict.fromkeys(i))) for n, i in held.items() if len(set(i)) > 1)
    records = json.loads(filled("number", "explain", number, "--format", "json").stdout)
    assert [record["phone_number_id"] for record in records] == ids
    words = filled("number", "explain", number).stdout
    assert f"{number} names 2 numbers, the earliest first" in words
    assert words.index(f"number {ids[0]} of") < words.index(f"number {ids[1]} of")
