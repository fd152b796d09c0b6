"""History told again, held to what the other commands say of it."""

from __future__ import annotations

import json
from typing import Any

from inventory import sample
from tests.conftest import Command


def told(command: Command, *arguments: str, exits: int = 0) -> list[dict[str, Any]]:
    done = command(*arguments, exits=exits)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_an_account_is_told_event_by_event_as_the_other_commands_have_it(filled: Command) -> None:
    account = ("--account", sample.DOCUMENTED_ACCOUNT)
    whole = told(filled, "replay", *account, "--format", "ndjson")
    assert [row["position"] for row in whole] == list(range(1, len(whole) + 1))

    standing = {row["phone_number_id"]: row for row in whole}
    inside = {id_ for id_, row in standing.items() if row["inside"]}
    numbers = told(filled, "number", "list", *account)
    assert {row["phone_number_id"] for row in numbers} == inside
    assert {row["phone_number_id"]: row["unverified_since"] for row in numbers} == {
        id_: standing[id_]["unverified_since"] for id_ in inside
    }
    late = {row["position"] for row in told(filled, "change", "late", "--all", *account)}
    assert {row["position"] for row in whole if row["late"]} == late
    assert late

    number = told(filled, "replay", sample.DEMO_NUMBER, "--format", "ndjson")
    ids = {row["phone_number_id"] for row in number}
    assert number == [row for row in whole if row["phone_number_id"] in ids]
    ends = ("--from-position", "30", "--until", whole[100]["recorded_at"])
    part = told(filled, "replay", *account, *ends, "--format", "ndjson")
    assert part == [row for row in whole[29:] if row["recorded_at"] < whole[100]["recorded_at"]]


def test_accounts_are_told_in_words_one_after_the_other(filled: Command) -> None:
    done = filled("replay")
    heads = told(filled, "event", "head")
    lines = done.stdout.splitlines()
    accounts = [f"account {row['account_id']}" for row in heads]
    assert [line for line in lines if line.startswith("account ")] == accounts
    assert len(accounts) > 1
    events = sum(row["position"] for row in heads)
    assert sum(line.startswith("#") for line in lines) == events
    assert done.stderr.startswith(f"events={events} changes=")
    assert any("late: changed what was said from 2026-04-14" in line for line in lines)
    assert "expected --account, one of" in filled("replay", "--from-position", "2", exits=1).stderr
