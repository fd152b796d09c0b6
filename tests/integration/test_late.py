"""Late events: which numbers have them, and what the function of both clocks said before them."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from psycopg import Connection
from psycopg.rows import dict_row
from sqlalchemy.dialects import postgresql

from inventory import read_model
from inventory.database import Database
from inventory.event import Attributes, Event, Recorded
from tests import folds
from tests.conftest import Command
from tests.histories import START, an_event, cut, histories

NewAccount = Callable[[], str]
MOMENT = timedelta(microseconds=1)
SAID = f"""
SELECT phone_number_id, {folds.ATTRIBUTES}
FROM inventory.number_as_of(%s, %s)
WHERE account_id = %s
"""


@pytest.fixture(scope="module")
def shared(shared_database: Database) -> Iterator[Connection]:
    with shared_database.connect() as connection:
        yield connection


def late(log: Sequence[Recorded]) -> list[Recorded]:
    """Those recorded when a younger event of their number had been, found one by one."""
    return [
        entry
        for entry in log
        if any(
            other.event.phone_number_id == entry.event.phone_number_id
            and other.recorded_at < entry.recorded_at
            and other.event.occurred_at > entry.event.occurred_at
            for other in log
        )
    ]


def found(
    connection: Connection, account: str, right: str = "", wrong: str = "", **period: Any
) -> list[str]:
    """The numbers that the read finds, with *wrong* in its SQL instead of what is *right*."""
    query = read_model.late_numbers(account=account, **period)
    literally = query.compile(
        dialect=postgresql.dialect(),  # type: ignore[no-untyped-call]
        compile_kwargs={"literal_binds": True},
    )
    text = str(literally)
    assert right in text
    if right:
        text = text.replace(right, wrong)
    rows = connection.execute(text.encode()).fetchall()
    assert {row[0] for row in rows} <= {account}
    return [row[1] for row in rows]


@hypothesis_settings(max_examples=25)
@given(
    history=histories(),
    cuts=st.lists(st.integers(0, 25), max_size=6),
    edges=st.tuples(st.integers(0, 9), st.integers(0, 9)),
)
def test_exactly_the_numbers_with_late_events_of_a_period_are_found(
    shared: Connection,
    new_account: NewAccount,
    history: list[Event],
    cuts: list[int],
    edges: tuple[int, int],
) -> None:
    account = new_account()
    for batch in cut(history, cuts):
        folds.append(shared, account, batch)
    log = folds.recorded(shared, account, history)
    times = sorted({entry.recorded_at for entry in log})
    since, until = (times[edge % len(times)] for edge in edges)
    periods: list[dict[str, Any]] = [{}, {"since": since}, {"until": until}]
    for period in (*periods, {"since": since, "until": until}):
        wanted = {
            entry.event.phone_number_id
            for entry in late(log)
            if period.get("since", START) <= entry.recorded_at
            and ("until" not in period or entry.recorded_at < until)
        }
        assert found(shared, account, **period) == sorted(wanted)
    shared.rollback()


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("1 PRECEDING", "CURRENT ROW"),
        ("recorded_at GROUPS", "position ROWS"),
        ("inventory.event.account_id, inventory.event.phone_number_id ORDER", "account_id ORDER"),
        ("occurred_at < placed", "occurred_at <= placed"),
        ("max(", "min("),
    ],
)
def test_a_wrong_way_of_finding_them_would_be_found_out(
    connection: Connection, right: str, wrong: str
) -> None:
    for number, batches in {
        "1": [[0], [2, 1]],  # younger, but of one append
        "2": [[3], [3]],  # no younger than what was known
        "3": [[1, 5], [4]],
        "4": [[4], [6]],  # late for another number alone
    }.items():
        for batch in batches:
            folds.append(connection, "1", [an_event(number, at=at) for at in batch])
    assert found(connection, "1") == ["3"]
    assert found(connection, "1", right, wrong) != ["3"]


def test_rows_are_the_answers_that_differ_between_one_append_and_the_next(
    connection: Connection, inventory: Command
) -> None:
    chance = random.Random(7)
    history = [
        an_event(
            chance.choice("12"),
            chance.choice(("Created", "Updated", "Updated", "Deleted")),
            chance.randrange(7),
            provider_id=chance.choice("12"),
        )
        for _ in range(30)
    ]
    for batch in cut(history, range(0, 30, 6)):
        folds.append(connection, "1", batch)
    log = folds.recorded(connection, "1", history)

    rows = asked(inventory, "--all")
    assert sorted(row["position"] for row in rows) == sorted(e.position for e in late(log))
    changed = asked(inventory)
    assert changed == [row for row in rows if row["changed"]]
    assert 0 < len(changed) < len(rows)
    told = {
        (row["recorded_at"], row["phone_number_id"], at): (row["before"], row["after"])
        for row in changed
        for at in moments(row["valid_from"], row["valid_to"])
    }
    assert told == differing(connection, log)

    latest = max(row["recorded_at"] for row in rows)
    since = asked(inventory, "--all", "--since", latest.isoformat())
    assert since == [row for row in rows if row["recorded_at"] == latest]
    until = asked(inventory, "--all", "--until", latest.isoformat(), "--limit", "3")
    assert until == [row for row in rows if row["recorded_at"] < latest][:3]


def asked(inventory: Command, *options: str) -> list[dict[str, Any]]:
    """What `change late` says, its instants read."""
    rows = [json.loads(line) for line in inventory("change", "late", *options).stdout.splitlines()]
    for row in rows:
        for name in ("valid_from", "valid_to", "recorded_at"):
            row[name] = datetime.fromisoformat(row[name])
    return rows


def moments(since: datetime, until: datetime) -> Iterator[datetime]:
    """Every half second of [since, until)."""
    while since < until:
        yield since
        since += timedelta(seconds=0.5)


def differing(connection: Connection, log: Sequence[Recorded]) -> dict[Any, Any]:
    """Where an append changed what `number_as_of` says of a time before the youngest known."""
    cursor = connection.cursor(row_factory=dict_row)

    def said(at: datetime, known_at: datetime) -> dict[str, Any]:
        rows = cursor.execute(SAID, [at, known_at, "1"]).fetchall()
        return {row["phone_number_id"]: {n: row[n] for n in Attributes._fields} for row in rows}

    differ = {}
    for recorded_at in sorted({entry.recorded_at for entry in log}):
        for number in "12":
            youngest = max(
                (
                    entry.event.occurred_at
                    for entry in log
                    if entry.recorded_at < recorded_at and entry.event.phone_number_id == number
                ),
                default=START,
            )
            for at in moments(START, youngest):
                before = said(at, recorded_at - MOMENT).get(number)
                after = said(at, recorded_at).get(number)
                if before != after:
                    differ[recorded_at, number, at] = (before, after)
    return differ


def test_people_are_told_what_was_said_and_what_is(
    connection: Connection, inventory: Command
) -> None:
    folds.append(connection, "1", [an_event(at=0), an_event(at=20, status="Pending")])
    folds.append(connection, "1", [an_event(at=10, location="Mars")])
    (table, _) = inventory("change", "late", "--format", "table").stdout.splitlines()[1:]
    assert "2026-03-01 00:00:10Z  2026-03-01 00:00:20Z  location from nothing to Mars" in table
