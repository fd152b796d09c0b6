"""The projection: by the law, exactly once, whatever order things come in."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module

import psycopg
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from psycopg import Connection

from inventory import lifecycle, projector
from inventory.database import Database
from inventory.event import Event
from inventory.projector import statements
from tests import folds
from tests.histories import an_event, cut, histories

CUTS = st.lists(st.integers(0, 25), max_size=5)
NewAccount = Callable[[], str]


@pytest.fixture(scope="module")
def shared(shared_database: Database) -> Iterator[Connection]:
    with shared_database.connect() as connection:
        yield connection


@hypothesis_settings(max_examples=300)
@given(history=histories(), cuts=CUTS)
def test_any_history_in_any_batches_folds_as_the_law_says(
    shared: Connection, new_account: NewAccount, history: list[Event], cuts: list[int]
) -> None:
    account = new_account()
    for batch in cut(history, cuts):
        folds.append(shared, account, batch)
        folds.fold(shared, account)
    expected = folds.by_the_law(folds.recorded(shared, account, history))
    assert folds.projected(shared, account) == expected


@hypothesis_settings(max_examples=100)
@given(history=histories(), cuts=CUTS)
def test_folding_bit_by_bit_ends_where_folding_from_nothing_does(
    shared: Connection, new_account: NewAccount, history: list[Event], cuts: list[int]
) -> None:
    bit_by_bit, at_once = new_account(), new_account()
    for batch in cut(history, cuts):
        folds.append(shared, bit_by_bit, batch)
        folds.fold(shared, bit_by_bit)
    folds.append(shared, at_once, history)
    folds.fold(shared, at_once)
    assert folds.projected(shared, bit_by_bit) == folds.projected(shared, at_once)


@hypothesis_settings(max_examples=150)
@given(
    history=histories(latest=400).filter(
        lambda history: len({(e.phone_number_id, e.occurred_at) for e in history}) == len(history)
    ),
    cuts=CUTS,
    seed=st.integers(0, 2**32),
)
def test_permuted_and_repeated_arrivals_converge(
    shared: Connection, new_account: NewAccount, history: list[Event], cuts: list[int], seed: int
) -> None:
    orderly, disorderly = new_account(), new_account()
    folds.append(shared, orderly, history)
    folds.fold(shared, orderly)
    chance = random.Random(seed)
    shuffled = history + chance.sample(history, chance.randrange(len(history) + 1))
    chance.shuffle(shuffled)
    for batch in cut(shuffled, cuts):
        folds.append(shared, disorderly, batch)
        folds.fold(shared, disorderly)
    assert _without_positions(shared, disorderly) == _without_positions(shared, orderly)


def _without_positions(connection: Connection, account: str) -> list[list[tuple[object, ...]]]:
    places = {"position", "opened_by", "closed_by", "last_position"}
    return [
        sorted(
            (tuple(value for name, value in row.items() if name not in places) for row in rows),
            key=repr,
        )
        for rows in folds.projected(connection, account)
    ]


WRONG_IN_SQL = {
    "in the order of arrival": ("ORDER BY occurred_at, position", "ORDER BY position"),
    "a deletion that does not delete": ("inventory.inside(event_type, usage_type)", "true"),
    "every event a version": ("state IS DISTINCT FROM previous_state", "true"),
    "provider since the last change of any kind": (
        "WHERE NOT was_inside OR provider_id IS DISTINCT FROM previous_provider_id",
        "WHERE true",
    ),
    "in since the last change of any kind": (
        "max(entered_at) FILTER (WHERE NOT was_inside)",
        "max(entered_at)",
    ),
    "doubt never dispelled": ("word.position IS NULL\n", "true\n"),
    "doubt from the event that opened": ("AND event.position <> current.opened_by", ""),
    "verified by anybody": ("AND event.origin = 'observation'", ""),
    "converted is created": (
        "WHEN event_type = 'Created' THEN 'created'",
        "WHEN true THEN 'created'",
    ),
}


@pytest.mark.parametrize("fault", WRONG_IN_SQL, ids=lambda fault: fault.replace(" ", "-"))
def test_a_wrong_fold_in_sql_is_caught(
    shared: Connection, new_account: NewAccount, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    right, wrong = WRONG_IN_SQL[fault]
    planted = False
    for name in ("FOLD_VERSIONS", "FOLD_NUMBERS"):
        statement = getattr(statements, name)
        planted |= right in statement
        monkeypatch.setattr(statements, name, statement.replace(right, wrong))
    assert planted
    assert _some_history_differs(shared, new_account, cuts=[])


WRONG_IN_REFOLD = {
    "rewinds nothing": ("REWIND", "version.valid_from >= touched.since", "false"),
    "forgets what stood before": ("REFOLD_VERSIONS", "earlier.valid_from < touched.since", "false"),
    "forgets that a version ended just then": (
        "REFOLD_VERSIONS",
        "version.valid_to >= touched.since",
        "version.valid_to > touched.since",
    ),
    "takes only what is new": (
        "REFOLD_VERSIONS",
        "event.occurred_at >= touched.since",
        "event.position > %(after)s",
    ),
    "keeps who has left": ("FORGET_DEPARTED", "AND NOT EXISTS", "AND false AND NOT EXISTS"),
}


@pytest.mark.parametrize("fault", WRONG_IN_REFOLD, ids=lambda fault: fault.replace(" ", "-"))
def test_a_wrong_refold_in_sql_is_caught(
    shared: Connection, new_account: NewAccount, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    name, right, wrong = WRONG_IN_REFOLD[fault]
    statement = getattr(statements, name)
    assert right in statement
    monkeypatch.setattr(statements, name, statement.replace(right, wrong))
    assert _some_history_differs(shared, new_account)


def test_a_wrong_fold_in_python_is_caught(
    shared: Connection, new_account: NewAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(lifecycle.INSIDE, ("Updated", False), True)
    assert _some_history_differs(shared, new_account)


def _some_history_differs(
    connection: Connection, new_account: NewAccount, cuts: Sequence[int] = (2, 4, 6)
) -> bool:
    """Whether the two folds disagree on one of some histories."""
    chance = random.Random(1)
    for _ in range(60):
        history = [
            an_event(
                chance.choice("12"),
                chance.choice(("Created", "Updated", "Updated", "Deleted")),
                chance.randrange(6),
                origin=chance.choice(("notification", "notification", "observation", "operator")),
                usage_type=chance.choice(("ContactCenterNumber", "ContactCenterNumber", "Other")),
                provider_id=chance.choice("12"),
                status=chance.choice(("Normal", "Pending")),
            )
            for _ in range(8)
        ]
        account = new_account()
        try:
            for batch in cut(history, cuts):
                folds.append(connection, account, batch)
                folds.fold(connection, account)
        except psycopg.Error:
            connection.rollback()
            return True  # the tables' keys caught it
        expected = folds.by_the_law(folds.recorded(connection, account, history))
        if folds.projected(connection, account) != expected:
            return True
    return False


def test_a_late_update_cannot_bring_back_a_deleted_number(connection: Connection) -> None:
    folds.append(connection, "1", [an_event("7", "Created", 0), an_event("7", "Deleted", 100)])
    folds.fold(connection, "1")
    folds.append(connection, "1", [an_event("7", "Updated", 50, status="Pending")])
    folds.fold(connection, "1")
    versions, numbers, _ = folds.projected(connection, "1")
    assert numbers == []
    assert [version["status"] for version in versions] == ["Normal", "Pending"]


def test_states_of_one_instant_are_changes_though_true_at_no_time(connection: Connection) -> None:
    folds.append(
        connection,
        "1",
        [
            an_event("7", "Created", 0),
            an_event("7", "Updated", 5, provider_id="2"),
            an_event("7", "Updated", 5, provider_id="3"),
        ],
    )
    folds.fold(connection, "1")
    _, _, changes = folds.projected(connection, "1")
    assert [change["kind"] for change in changes] == ["created", *["provider_changed"] * 2]
    lasting = connection.execute(
        "SELECT provider_id FROM inventory.contact_center_number_version ORDER BY valid_from"
    ).fetchall()
    assert lasting == [("1",), ("3",)]


def test_a_fold_that_is_rolled_back_leaves_the_checkpoint(connection: Connection) -> None:
    folds.append(connection, "1", [an_event("7", "Created", 0)])
    connection.commit()
    projector.fold(connection, "1")
    connection.rollback()
    assert projector.lagging(connection) == ["1"]
    connection.rollback()
    folds.fold(connection, "1")
    assert projector.lagging(connection) == []
    assert len(folds.projected(connection, "1")[1]) == 1


def test_an_account_that_another_projector_has_is_left_to_it(database: Database) -> None:
    with database.connect() as one, database.connect() as other:
        folds.append(one, "1", [an_event("7", "Created", 0)])
        folds.append(one, "2", [an_event("8", "Created", 0)])
        folds.fold(one, "1")
        folds.append(one, "1", [an_event("9", "Created", 0)])
        with one.transaction():
            assert projector.fold(one, "1") is not None
            assert projector.fold(other, "1") is None
            assert projector.fold(other, "2") is not None
            other.commit()


def test_a_long_fold_holds_up_no_append(database: Database) -> None:
    with database.connect() as projecting, database.connect(autocommit=True) as appending:
        folds.append(projecting, "1", [an_event("7", "Created", 0)])
        with projecting.transaction():
            projector.fold(projecting, "1")
            appending.execute("SET lock_timeout = '5s'")
            folds.append(appending, "1", [an_event("7", "Updated", 1, status="Pending")])
        folds.fold(projecting, "1")
        assert folds.projected(projecting, "1")[1][0]["status"] == "Pending"


def test_accounts_are_folded_side_by_side(database: Database) -> None:
    with database.connect() as connection:
        for account in range(1, 12):
            folds.append(connection, str(account), [an_event("7", "Created", 0)])
        done = list(projector.fold_all(database.connect))
        assert sorted(int(folded.account_id) for folded in done) == list(range(1, 12))
        assert projector.lagging(connection) == []


def test_many_projectors_at_once_fold_each_event_once(database: Database) -> None:
    history = [
        an_event(str(n), "Updated", at, provider_id=str(at % 3)) for at in range(30) for n in (1, 2)
    ]
    with database.connect() as connection:
        stop = threading.Event()

        def follow() -> None:
            while not stop.is_set():
                list(projector.fold_all(database.connect))

        followers = [threading.Thread(target=follow) for _ in range(3)]
        for follower in followers:
            follower.start()
        for batch in cut(history, range(0, 60, 4)):
            folds.append(connection, "1", batch)
        stop.set()
        for follower in followers:
            follower.join()
        folds.fold(connection, "1")
        expected = folds.by_the_law(folds.recorded(connection, "1", history))
        assert folds.projected(connection, "1") == expected


def test_a_rebuild_ends_where_the_folds_did(connection: Connection) -> None:
    for account in ("1", "2"):
        for at in range(12):
            event = an_event("7", "Updated", at // 2, provider_id=str(at % 3))
            folds.append(connection, account, [event])
            folds.fold(connection, account)
    before = [folds.projected(connection, account) for account in ("1", "2")]
    connection.execute("DELETE FROM inventory.contact_center_number WHERE account_id = '2'")
    connection.execute("UPDATE inventory.contact_center_number_version SET location = 'Mars'")
    connection.commit()
    projector.rebuild(connection)
    connection.commit()
    assert [folds.projected(connection, account) for account in ("1", "2")] == before
    assert projector.lagging(connection) == []


def test_readers_and_appenders_go_on_while_a_rebuild_runs(database: Database) -> None:
    with database.connect() as rebuilding, database.connect(autocommit=True) as other:
        folds.append(rebuilding, "1", [an_event("7", "Created", 0)])
        folds.fold(rebuilding, "1")
        other.execute("SET lock_timeout = '5s'")
        seen = []

        def meanwhile(_: projector.Folded) -> None:
            seen.append(other.execute("SELECT count(*) FROM inventory.change").fetchone())
            folds.append(other, "1", [an_event("7", "Updated", 9, status="Pending")])
            folds.append(other, "2", [an_event("8", "Created", 9)])

        projector.rebuild(rebuilding, done=meanwhile)
        rebuilding.commit()
        assert seen == [(1,)]
        # What was appended meanwhile is the next fold's.
        assert projector.lagging(rebuilding) == ["1", "2"]


def test_a_rebuild_keeps_what_users_built_on_the_tables(connection: Connection) -> None:
    connection.execute("CREATE VIEW mine AS SELECT count(*) FROM inventory.contact_center_number")
    folds.append(connection, "1", [an_event("7", "Created", 0)])
    connection.commit()
    for _ in range(2):
        projector.rebuild(connection)
        connection.commit()
    assert connection.execute("SELECT * FROM mine").fetchone() == (1,)


def test_a_rebuild_waits_for_readers_without_making_others_wait(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.connect() as rebuilding, database.connect() as reader:
        folds.append(rebuilding, "1", [an_event("7", "Created", 0)])
        reader.execute("SELECT * FROM inventory.contact_center_number")
        monkeypatch.setattr(import_module("inventory.projector.rebuild"), "PATIENCE", 1)
        with pytest.raises(projector.ReadersHeldOn):
            projector.rebuild(rebuilding)
        rebuilding.rollback()
        reader.rollback()
        projector.rebuild(rebuilding)
        rebuilding.commit()
        assert len(folds.projected(rebuilding, "1")[1]) == 1


def test_after_a_rebuild_the_tables_are_as_they_were_and_everybody_may_do_what_they_could(
    connection: Connection,
) -> None:
    folds.append(connection, "1", [an_event("7", "Created", 0)])
    rights = """
        SELECT
            relname, pg_get_userbyid(relowner), relacl::text,
            obj_description(oid, 'pg_class'), reloptions
        FROM pg_class
        WHERE relnamespace = 'inventory'::regnamespace AND relname LIKE '%\\_live'
        ORDER BY relname
    """
    indexes = """
        SELECT indexname, indexdef
        FROM pg_indexes
        JOIN pg_inherits ON inhrelid = format('inventory.%I', indexname)::regclass
        WHERE schemaname = 'inventory' AND tablename LIKE '%\\_live'
        ORDER BY indexname
    """
    before = connection.execute(rights).fetchall()
    assert len(before) == 3
    indexed = connection.execute(indexes).fetchall()
    assert len(indexed) == 9
    for _ in range(2):
        projector.rebuild(connection)
        connection.commit()
        assert connection.execute(indexes).fetchall() == indexed
    after = connection.execute(rights).fetchall()
    assert [row[:2] + row[3:] for row in after] == [row[:2] + row[3:] for row in before]
    connection.execute("SET ROLE inventory_app")
    connection.commit()
    folds.append(connection, "2", [an_event("8", "Created", 0)])
    folds.fold(connection, "2")
    assert len(folds.projected(connection, "2")[1]) == 1
