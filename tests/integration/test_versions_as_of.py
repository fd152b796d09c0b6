"""Versions, changes and providers as of two clocks: the law over the events known then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from psycopg import Connection
from sqlalchemy import Select

from inventory import read_model
from inventory.database import Database
from inventory.event import Event
from inventory.read_model import folded
from tests import folds
from tests.histories import START, an_event, cut, histories
from tests.integration.test_as_of import CLOCKS, CUTS, instants

NewAccount = Callable[[], str]
CALLED = """
SELECT phone_number_id, opened_by
FROM inventory.version_as_of(%s, %s)
WHERE account_id = %s AND (valid_to IS NULL OR valid_to > valid_from)
ORDER BY valid_from, phone_number_id
"""


@pytest.fixture(scope="module")
def shared(shared_database: Database) -> Iterator[Connection]:
    with shared_database.connect() as connection:
        yield connection


@pytest.fixture(scope="module")
def reader(shared_database: Database) -> Iterator[sqlalchemy.Connection]:
    with shared_database.engine.connect() as connection:
        yield connection.execution_options(isolation_level="AUTOCOMMIT")


def rows(reader: sqlalchemy.Connection, query: Select[Any]) -> folds.Rows:
    return [dict(row) for row in reader.execute(query).mappings()]


def without(found: folds.Rows, *names: str) -> folds.Rows:
    return [{name: row[name] for name in row if name not in names} for row in found]


@hypothesis_settings(max_examples=40)
@given(history=histories(), cuts=CUTS, clocks=CLOCKS)
def test_every_read_as_of_two_clocks_is_what_the_law_says_of_the_events_of_both(
    shared: Connection,
    reader: sqlalchemy.Connection,
    new_account: NewAccount,
    history: list[Event],
    cuts: list[int],
    clocks: list[tuple[int, int]],
) -> None:
    account = new_account()
    for batch in cut(history, cuts):
        folds.append(shared, account, batch)
    folds.fold(shared, account)
    known = instants(shared, account)
    keys = [(account, number) for number in "123"]
    entries = folds.recorded(shared, account, history)
    shared.rollback()
    for seconds, nth in clocks:
        at, known_at = START + timedelta(seconds=seconds), known[nth % len(known)]
        # All that is known now is read from the projection, what was known once from the log.
        for then in (known_at, None):
            ours = [
                entry
                for entry in entries
                if entry.event.occurred_at <= at and (then is None or entry.recorded_at <= then)
            ]
            _, _, changes = folds.by_the_law(ours)
            told = rows(reader, read_model.changes(account=account, at=at, known_at=then))
            assert sorted(without(told, "account_id"), key=_position) == changes
            moved = rows(reader, read_model.reassignments(account=account, at=at, known_at=then))
            assert moved == [row for row in told if row["kind"] in read_model.REASSIGNMENTS]
            one = rows(reader, read_model.changes(keys=keys[:1], at=at, known_at=then))
            assert one == [row for row in told if row["phone_number_id"] == "1"]
            history_then = read_model.history_as_of(reader, keys, at, then)
            assert rows(reader, read_model.history(keys, at=at, known_at=then)) == history_then
            if then is not None:
                called = shared.execute(CALLED, (at, then, account)).fetchall()
                shared.rollback()
                assert called == [
                    (row["phone_number_id"], row["opened_by"]) for row in history_then
                ]
            providers = rows(reader, read_model.providers(account=account, at=at, known_at=then))
            assert providers == providers_of(account, history_then)
            for since in (at - timedelta(seconds=2), at):
                numbers = read_model.numbers_as_of(at, then, account=account, changed_since=since)
                assert {row["phone_number_id"] for row in rows(reader, numbers)} == {
                    row["phone_number_id"]
                    for row in history_then
                    if row["valid_to"] is None and row["valid_from"] >= since
                }


def _position(row: dict[str, Any]) -> int:
    return int(row["position"])


def providers_of(account: str, versions: folds.Rows) -> folds.Rows:
    """The providers of versions, counted one by one."""
    found: dict[str | None, dict[str, Any]] = {}
    for row in sorted(versions, key=lambda row: (row["valid_from"], row["opened_by"])):
        provider = found.setdefault(
            row["provider_id"],
            {
                "account_id": account,
                "provider_id": row["provider_id"],
                "provider_name": None,
                "numbers": 0,
                "last_changed_at": datetime.min.replace(tzinfo=START.tzinfo),
            },
        )
        provider["provider_name"] = row["provider_name"] or provider["provider_name"]
        provider["numbers"] += row["valid_to"] is None
        provider["last_changed_at"] = max(
            provider["last_changed_at"], row["valid_from"], row["valid_to"] or row["valid_from"]
        )
    return sorted(found.values(), key=lambda row: (row["provider_id"] is None, row["provider_id"]))


@hypothesis_settings(max_examples=30)
@given(history=histories(), cuts=CUTS)
def test_as_of_ever_and_ever_it_is_the_projection(
    shared: Connection,
    reader: sqlalchemy.Connection,
    new_account: NewAccount,
    history: list[Event],
    cuts: list[int],
) -> None:
    account = new_account()
    for batch in cut(history, cuts):
        folds.append(shared, account, batch)
        folds.fold(shared, account)
    ever = datetime.max.replace(tzinfo=START.tzinfo)
    keys = [(account, number) for number in "123"]
    reads: tuple[Callable[..., Select[Any]], ...] = (
        lambda **then: read_model.changes(account=account, **then),
        lambda **then: read_model.reassignments(account=account, **then),
        lambda **then: read_model.providers(account=account, **then),
        lambda **then: read_model.history(keys, **then),
    )
    for read in reads:
        now = rows(reader, read())
        assert rows(reader, read(at=ever, known_at=ever)) == now
        assert rows(reader, read(at=ever)) == now
    columns = "phone_number_id, changed_at, kind, position"
    view = shared.execute(
        f"SELECT {columns} FROM inventory.reassignment WHERE account_id = %s ORDER BY position",
        [account],
    ).fetchall()
    shared.rollback()
    told = sorted(rows(reader, read_model.reassignments(account=account)), key=_position)
    assert [tuple(row[name] for name in columns.split(", ")) for row in told] == view


def test_of_some_numbers_only_their_events_are_read(
    shared: Connection, new_account: NewAccount
) -> None:
    folds.append(shared, new_account(), [an_event(str(n)) for n in range(2000)])
    shared.execute("ANALYZE inventory.event")
    plan = shared.execute(
        "EXPLAIN SELECT * FROM inventory.version_as_of(now(), now())"
        " WHERE (account_id, phone_number_id) IN (('1', '2'))"
    ).fetchall()
    shared.rollback()
    text = "\n".join(line for (line,) in plan)
    assert "Index Cond: ((account_id = '1'::text) AND (phone_number_id = '2'::text)" in text, text


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("event.occurred_at <= version_as_of.at", "event.occurred_at < version_as_of.at"),
        ("event.recorded_at <= version_as_of.known_at", "version_as_of.known_at IS NOT NULL"),
        ("ORDER BY occurred_at, position", "ORDER BY position"),
        (" OR (inside AND state IS DISTINCT FROM previous_state)", ""),
        ("coalesce(lag(inside) OVER life, false)", "coalesce(lag(inside) OVER life, true)"),
        ("WHEN was_inside THEN 'attributes_changed'", ""),
        ("WHERE NOT was_inside OR provider_id IS", "WHERE provider_id IS"),
        ("WHEN next_inside THEN NULL", ""),
    ],
)
def test_a_wrong_fold_is_noticed(
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    right: str,
    wrong: str,
    new_account: NewAccount,
) -> None:
    body = folded._body("version_as_of")
    for argument in ("at", "known_at"):
        bound = f"CAST(:{argument} AS timestamptz)"
        right, wrong = (text.replace(f"version_as_of.{argument}", bound) for text in (right, wrong))
    assert right in body
    monkeypatch.setattr(folded, "_body", lambda _: body.replace(right, wrong))
    with database.connect() as connection, database.engine.connect() as reader:
        autocommit = reader.execution_options(isolation_level="AUTOCOMMIT")
        test = test_every_read_as_of_two_clocks_is_what_the_law_says_of_the_events_of_both
        with pytest.raises((AssertionError, KeyError)):
            test.hypothesis.inner_test(  # type: ignore[attr-defined]
                connection, autocommit, new_account, REVEALING, [3, 9], REVEALING_CLOCKS
            )


REVEALING = [
    an_event("1", "Created", 0, provider_id="1"),
    an_event("2", "Updated", 0, provider_id="2"),
    an_event("1", "Updated", 2, provider_id="1", status="Pending"),
    an_event("1", "Updated", 4, provider_id="2", status="Pending"),
    an_event("2", "Deleted", 4),
    an_event("3", "Updated", 1, usage_type="DirectNumber"),
    an_event("3", "Updated", 2, usage_type="DirectNumber", status="Pending"),
    an_event("3", "Created", 5),
    an_event("1", "Updated", 1, provider_id="1"),
    an_event("1", "Updated", 3, usage_type="DirectNumber"),
    an_event("2", "Created", 6),
]
REVEALING_CLOCKS = [(at, nth) for at in range(8) for nth in (1, 3, 5)]
