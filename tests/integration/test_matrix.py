"""Who gave numbers to whom: counts of reassignments, provider by provider."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import Connection

from inventory import lifecycle, read_model
from inventory.database import Database
from inventory.event import Event
from tests.conftest import Command
from tests.folds import append, fold, recorded
from tests.histories import START, an_event, histories

ACCOUNT = "37439510"
MOVES = [
    *(an_event(number, at=0, provider_name="InContact") for number in "123"),
    an_event("1", at=10, provider_id="7", provider_name="Five9"),
    an_event("2", at=20, provider_id="7", provider_name="Five 9"),
    an_event("3", at=30, provider_id=None, provider_name=None),
    an_event("1", at=40, usage_type="DirectNumber"),
]


def test_a_table_of_it_has_a_row_for_each_who_gave_and_totals(
    inventory: Command, connection: Connection
) -> None:
    append(connection, ACCOUNT, MOVES)
    fold(connection, ACCOUNT)
    table = inventory("reassignment", "matrix", "--format", "table").stdout.splitlines()
    assert [line.split() for line in table[:-1]] == [
        ["from", "(outside)", "(unnamed)", "1", "InContact", "7", "Five9", "total"],
        ["(outside)", "3", "3"],
        ["1", "InContact", "1", "2", "3"],
        ["7", "Five9", "1", "1"],
        ["total", "1", "1", "3", "2", "7"],
    ]
    rows = [json.loads(line) for line in inventory("reassignment", "matrix").stdout.splitlines()]
    assert {
        "from_provider_id": "7",
        "from_provider_name": "Five9",
        "to_provider_id": None,
        "to_provider_name": "(outside)",
        "count": 1,
    } in rows
    in_csv = inventory("reassignment", "matrix", "--format", "csv").stdout
    assert [row["count"] for row in csv.DictReader(in_csv.splitlines())] == [
        str(row["count"]) for row in rows
    ]


@settings(max_examples=40)
@given(history=histories(), since=st.integers(0, 6), until=st.integers(0, 7))
def test_its_cells_are_the_reassignments_of_the_law(
    shared_database: Database,
    new_account: Callable[[], str],
    history: list[Event],
    since: int,
    until: int,
) -> None:
    account = new_account()
    begin, end = START + timedelta(seconds=since), START + timedelta(seconds=until)
    with shared_database.connect() as connection:
        append(connection, account, history)
        fold(connection, account)
        log = recorded(connection, account, history)
    cells: Counter[tuple[Any, ...]] = Counter()
    for number in {entry.event.phone_number_id for entry in log}:
        for step in lifecycle.steps(e for e in log if e.event.phone_number_id == number):
            change = step.change
            if change is None or not begin <= change.changed_at < end:
                continue
            before, after = change.before, change.after
            match change.kind:
                case "reassigned_in" | "provider_changed" | "reassigned_out":
                    cells[
                        before.provider_id if before else read_model.OUTSIDE,
                        after.provider_id if after else read_model.OUTSIDE,
                    ] += 1
    query = read_model.reassignment_matrix(since=begin, until=end, account=account)
    with shared_database.engine.connect() as reader:
        rows = reader.execute(query).all()
    found = {(side(row[0], row[1]), side(row[2], row[3])): row[4] for row in rows}
    assert len(found) == len(rows)  # one name a provider, however many it was seen with
    assert found == cells


def side(provider_id: str | None, name: str | None) -> str | None:
    outside = provider_id is None and name == read_model.OUTSIDE
    return read_model.OUTSIDE if outside else provider_id
