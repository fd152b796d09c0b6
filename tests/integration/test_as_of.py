"""Two clocks: what was true at a time, as it was known at another."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
import sqlalchemy
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from psycopg import Connection
from psycopg.rows import dict_row
from sqlalchemy import Select

from inventory import migration, read_model
from inventory.database import Database
from inventory.event import Attributes, Event
from tests import folds
from tests.conftest import Command
from tests.histories import START, an_event, cut, histories
from tests.waiting import until

NewAccount = Callable[[], str]
CUTS = st.lists(st.integers(0, 25), max_size=5)
CLOCKS = st.lists(st.tuples(st.integers(-1, 7), st.integers(0, 11)), min_size=1, max_size=4)

THEN = f"""
SELECT phone_number_id, {folds.ATTRIBUTES}
FROM inventory.number_as_of(%s, %s)
WHERE account_id = %s
ORDER BY phone_number_id
"""
NOW = THEN.replace("(%s, %s)", "()")
CURRENT = THEN.replace("number_as_of(%s, %s)", "contact_center_number")

FUNCTION = (migration.migrations() / "sql" / "number_as_of_v1.sql").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def shared(shared_database: Database) -> Iterator[Connection]:
    with shared_database.connect() as connection:
        yield connection


@pytest.fixture(scope="module")
def reader(shared_database: Database) -> Iterator[sqlalchemy.Connection]:
    with shared_database.engine.connect() as connection:
        yield connection.execution_options(isolation_level="AUTOCOMMIT")


def instants(connection: Connection, account: str) -> list[datetime]:
    """When each append was made, and the moment before."""
    sealed = connection.execute(
        "SELECT sealed_at FROM inventory.seal WHERE account_id = %s ORDER BY sealed_at", [account]
    ).fetchall()
    return [at - ago for (at,) in sealed for ago in (timedelta(microseconds=1), timedelta(0))]


def as_of(connection: Connection, account: str, at: datetime, known_at: datetime) -> folds.Rows:
    cursor = connection.cursor(row_factory=dict_row)
    return cursor.execute(THEN, [at, known_at, account]).fetchall()


def by_the_law(
    connection: Connection, account: str, history: Sequence[Event], at: datetime, known_at: datetime
) -> tuple[folds.Rows, folds.Rows]:
    """Versions and numbers by the fold over just the events of both clocks."""
    versions, numbers, _ = folds.by_the_law(
        [
            entry
            for entry in folds.recorded(connection, account, history)
            if entry.event.occurred_at <= at and entry.recorded_at <= known_at
        ]
    )
    names = ("phone_number_id", *Attributes._fields)
    return versions, [{name: row[name] for name in names} for row in numbers]


@hypothesis_settings(max_examples=150)
@given(history=histories(), cuts=CUTS, clocks=CLOCKS)
def test_any_past_is_the_fold_over_what_had_occurred_and_was_known(
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
    known = instants(shared, account)
    keys = [(account, number) for number in "123"]
    for seconds, nth in clocks:
        at, known_at = START + timedelta(seconds=seconds), known[nth % len(known)]
        versions, numbers = by_the_law(shared, account, history, at, known_at)
        assert as_of(shared, account, at, known_at) == numbers
        told = read_model.history_as_of(reader, keys, at, known_at)
        lasting = [row for row in versions if row["valid_from"] != row["valid_to"]]
        lasting.sort(key=lambda row: (row["valid_from"], row["phone_number_id"]))
        assert [{name: row[name] for name in lasting[0]} for row in told] == lasting
    shared.rollback()


@hypothesis_settings(max_examples=100)
@given(history=histories(), cuts=CUTS)
def test_as_of_now_and_now_is_the_current_inventory_and_its_history(
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
    current = shared.execute(CURRENT, [account]).fetchall()
    assert shared.execute(NOW, [account]).fetchall() == current
    shared.rollback()
    keys = [(account, number) for number in "123"]
    table = reader.execute(read_model.history(keys)).mappings().all()
    assert read_model.history_as_of(reader, keys, None, None) == [dict(row) for row in table]


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("event.occurred_at <= number_as_of.at", "event.occurred_at < number_as_of.at"),
        ("event.recorded_at <= number_as_of.known_at", "event.recorded_at < number_as_of.known_at"),
        ("event.recorded_at <= number_as_of.known_at", "number_as_of.known_at IS NOT NULL"),
        ("event.occurred_at <= number_as_of.at", "event.occurred_at <= number_as_of.known_at"),
        ("event.position DESC", "event.position"),
        ("event.occurred_at DESC", "event.occurred_at"),
        ("WHERE inventory.inside(said.event_type, said.usage_type)", ""),
    ],
)
def test_a_wrong_function_would_be_found_out(
    connection: Connection, new_account: NewAccount, right: str, wrong: str
) -> None:
    begin = FUNCTION.index("CREATE FUNCTION")
    assert right in FUNCTION[begin:]
    connection.execute(
        FUNCTION[begin:].replace("CREATE F", "CREATE OR REPLACE F").replace(right, wrong).encode()
    )
    connection.commit()
    assert _some_past_differs(connection, new_account)


def test_the_function_as_it_is_is_not_found_out(
    connection: Connection, new_account: NewAccount
) -> None:
    assert not _some_past_differs(connection, new_account)


def _some_past_differs(connection: Connection, new_account: NewAccount) -> bool:
    """Whether the function and the law disagree on the past of one of some histories."""
    chance = random.Random(1)
    for _ in range(10):
        history = [
            an_event(
                chance.choice("12"),
                chance.choice(("Created", "Updated", "Updated", "Deleted")),
                chance.randrange(4),
                usage_type=chance.choice(("ContactCenterNumber", "ContactCenterNumber", "Other")),
                provider_id=chance.choice("12"),
            )
            for _ in range(9)
        ]
        account = new_account()
        for batch in cut(history, (3, 6)):
            folds.append(connection, account, batch)
        for known_at in instants(connection, account):
            for seconds in range(-1, 5):
                at = START + timedelta(seconds=seconds)
                _, numbers = by_the_law(connection, account, history, at, known_at)
                if as_of(connection, account, at, known_at) != numbers:
                    return True
        connection.rollback()
    return False


# 20,000 events of 2,000 numbers: enough that a planner reads all of them only by mistake.
MANY = """
INSERT INTO inventory.event (
    account_id, position, recorded_at, occurred_at, phone_number_id, event_uuid, event_type, origin,
    phone_number, usage_type, provider_id, payload, payload_sha256
)
SELECT
    '400000001', n, '2026-03-01'::timestamptz + n * interval '1 second',
    '2026-03-01'::timestamptz + n * interval '1 second', (7000000 + n % 2000)::text, n::text,
    'Updated', 'notification', '+1202' || (7000000 + n % 2000), 'ContactCenterNumber', n % 3, '{}',
    '\\x00'
FROM generate_series(1, 20000) AS n
"""
HEAD = """
INSERT INTO inventory.account (account_id, position, head_hash, recorded_at)
SELECT '400000001', 20000, '\\x00', max(recorded_at) FROM inventory.event
"""
THE_NUMBER = ("400000001", "7000042")
ITS_EVENTS = 10


@pytest.fixture
def many(database: Database) -> Database:
    with database.connect(autocommit=True) as connection:
        connection.execute(MANY)
        connection.execute(HEAD)
        with connection.transaction():
            folds.fold(connection, "400000001")
        connection.execute(
            "VACUUM ANALYZE inventory.event, inventory.contact_center_number_version"
        )
    return database


def scans(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every node of a plan that reads a table."""
    if "Relation Name" in plan:
        yield plan
    for child in plan.get("Plans", []):
        yield from scans(child)


def assert_it_reads_that_number_alone(plan: dict[str, Any]) -> None:
    read = 0
    for scan in scans(plan):
        if scan["Relation Name"] == "event":
            assert scan["Node Type"] in {"Index Scan", "Index Only Scan"}, scan
            read += (scan["Actual Rows"] + scan.get("Rows Removed by Filter", 0)) * scan[
                "Actual Loops"
            ]
    assert 0 < read <= ITS_EVENTS + 2


def explained(connection: Connection, query: str) -> dict[str, Any]:
    row = connection.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {query}".encode()).fetchone()
    assert row is not None
    plan: dict[str, Any] = row[0][0]["Plan"]
    return plan


@pytest.mark.parametrize("clocks", ["", "'2026-03-01 03:00'", "'2026-03-02', '2026-03-01 04:00'"])
def test_one_number_as_of_a_time_reads_that_numbers_events_alone_in_sql(
    many: Database, clocks: str
) -> None:
    with many.connect() as connection:
        asked = f"SELECT * FROM inventory.number_as_of({clocks})"
        one = f"{asked} WHERE account_id = '400000001' AND phone_number_id = '7000042'"
        assert_it_reads_that_number_alone(explained(connection, one))
        with pytest.raises(AssertionError):
            assert_it_reads_that_number_alone(explained(connection, asked))
        # What the type of the rows is for: in the default collation, there is no way in.
        other = one.replace("phone_number_id =", 'phone_number_id COLLATE "default" =')
        with pytest.raises(AssertionError):
            assert_it_reads_that_number_alone(explained(connection, other))


def test_one_number_as_of_a_time_reads_that_numbers_events_alone_from_the_read_model(
    many: Database,
) -> None:
    at = datetime.fromisoformat("2026-03-01T03:00Z")
    with many.engine.connect() as connection:
        statements: list[tuple[str, Any]] = []

        @sqlalchemy.event.listens_for(connection, "before_cursor_execute")
        def _remember(*arguments: Any) -> None:
            statements.append(arguments[2:4])

        keys = read_model.identities(connection, THE_NUMBER[1])
        assert keys == [THE_NUMBER]
        assert connection.execute(read_model.numbers_as_of(at, None, keys=keys)).all()
        assert len(read_model.history_as_of(connection, keys, at, None)) > 1
        assert len(statements) == 3
        for statement, parameters in tuple(statements):
            plan = connection.exec_driver_sql(
                f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", parameters
            ).scalar_one()
            assert_it_reads_that_number_alone(plan[0]["Plan"])


READ = """
SELECT seq_tup_read, idx_tup_fetch FROM pg_stat_user_tables WHERE relid = 'inventory.event'::regclass
"""
# What a session read is counted before it is gone from here.
ALONE = """
SELECT count(*) = 1 FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend'
"""


@pytest.mark.parametrize("command", ["show", "history"])
def test_one_number_as_of_a_time_reads_that_numbers_events_alone_from_the_command_line(
    many: Database, inventory: Command, command: str
) -> None:
    with many.connect(autocommit=True) as connection:

        def read() -> tuple[int, int]:
            until(lambda: connection.execute(ALONE).fetchone() == (True,))
            counted = connection.execute(READ).fetchone()
            assert counted is not None
            return counted[0], counted[1]

        before = read()
        done = inventory("number", command, "+12027000042", "--at", "2026-03-01T03:00")
        assert '"phone_number_id":"7000042"' in done.stdout
        after = read()
        assert after[0] == before[0]
        assert 0 < after[1] - before[1] <= 3 * ITS_EVENTS
        inventory("event", "list", "--number", "+12027000042")
        assert read()[1] > after[1]


def test_a_late_event_is_in_the_past_of_those_who_know_of_it(connection: Connection) -> None:
    folds.append(connection, "1", [an_event("7", "Created", 0), an_event("7", "Deleted", 100)])
    folds.append(connection, "1", [an_event("7", "Updated", 50, status="Pending")])
    _, ignorant, _, knowing = instants(connection, "1")
    at = START + timedelta(seconds=70)
    assert [row["status"] for row in as_of(connection, "1", at, ignorant)] == ["Normal"]
    assert [row["status"] for row in as_of(connection, "1", at, knowing)] == ["Pending"]
    deleted = START + timedelta(seconds=100)
    assert as_of(connection, "1", deleted, knowing) == []


def test_a_reader_may_ask_about_the_past(connection: Connection) -> None:
    folds.append(connection, "1", [an_event("7", "Created", 0)])
    connection.execute("SET LOCAL ROLE inventory_reader")
    assert connection.execute("SELECT * FROM inventory.number_as_of()").fetchall()
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("DELETE FROM inventory.event")


def test_the_plan_of_a_query_is_what_the_test_believes(many: Database) -> None:
    """The reading of plans is itself tested: a scan of everything is seen as one."""
    query: Select[Any] = read_model.events(limit=None)
    with many.engine.connect() as connection, pytest.raises(AssertionError):
        compiled = str(query.compile(connection, compile_kwargs={"literal_binds": True}))
        plan = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {compiled}").scalar_one()
        assert_it_reads_that_number_alone(plan[0]["Plan"])
