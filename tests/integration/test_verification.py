"""Verifying: an honest record differs nowhere, whoever writes meanwhile; an altered one is named."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from hashlib import sha256
from importlib import import_module

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from psycopg import Connection, sql
from sqlalchemy import JSON, BigInteger, LargeBinary, Table, Text
from sqlalchemy.dialects.postgresql import TIMESTAMP

from inventory import event_log, projector, sample, schema, verification
from inventory.database import Database
from inventory.event import Event
from inventory.event_log import genesis, seal_hash
from inventory.ingest import Intake
from inventory.observation import absence, observe, sight
from inventory.verification import Anchor, Difference, Verified, columns
from tests import folds
from tests.histories import START, an_event, cut, histories

ACCOUNT, OTHER = "37439510", "400131021"
RECORD = (
    *(schema.event, schema.seal, schema.account, schema.projection_checkpoint),
    *schema.PROJECTIONS,
)


def verify(
    connection: Connection, account: str | None = None, anchors: Iterable[Anchor] = ()
) -> list[Difference]:
    connection.commit()
    return list(verification.verify(connection, Verified(), account=account, anchors=list(anchors)))


def named(differences: Iterable[Difference]) -> set[tuple[str, int | None]]:
    """What differs, and where."""
    return {(difference.what, difference.position) for difference in differences}


@pytest.fixture(scope="module")
def shared(shared_database: Database) -> Iterator[Connection]:
    with shared_database.connect() as connection:
        yield connection


@hypothesis_settings(max_examples=150)
@given(history=histories(), cuts=st.lists(st.integers(0, 25), max_size=5), behind=st.booleans())
def test_any_honest_history_differs_nowhere(
    shared_database: Database,
    shared: Connection,
    new_account: Callable[[], str],
    history: list[Event],
    cuts: list[int],
    *,
    behind: bool,
) -> None:
    account = new_account()
    for batch in cut(history, cuts):
        folds.append(shared, account, batch)
        folds.fold(shared, account)
    if behind:  # the projection may lag, and is then held against what is folded
        folds.append(shared, account, [an_event("2"), an_event("9")])
    with shared_database.connect() as connection:
        verified = Verified()
        assert list(verification.verify(connection, verified, account=account)) == []
        assert verified.events == len(history) + 2 * behind


def test_the_demo_differs_nowhere(connection: Connection) -> None:
    intake = Intake("demo", account_id=ACCOUNT, future_tolerance=timedelta(minutes=5))
    intake.run(connection, [list(sample.demo_history())], lambda _: None)
    for account in projector.lagging(connection):
        connection.rollback()
        folds.fold(connection, account)
    connection.rollback()
    verified = Verified()
    assert list(verification.verify(connection, verified)) == []
    assert verified.accounts == 3
    assert verified.events > 300


def test_what_we_looked_at_ourselves_differs_nowhere(connection: Connection) -> None:
    folds.append(connection, ACCOUNT, [an_event("5")])
    seen = (
        sight('{"id": 5, "status": "Pending"}', account_id=ACCOUNT, seen_at=START),
        absence("5", START + timedelta(seconds=1)),
    )
    for run, sighting in enumerate(seen):
        event = observe(sighting, account_id=ACCOUNT, run=f"reconciliation/{run}", held=None)
        with connection.transaction():
            batch = event_log.prepare([event])
            event_log.append(connection, batch, source=f"reconciliation:{run}")
    folds.fold(connection, ACCOUNT)
    assert verify(connection) == []


def test_writers_and_projectors_go_on_meanwhile(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inventory.verification.snapshot.CHUNK", 3)
    with database.connect() as verifying, database.connect(autocommit=True) as writing:
        writing.execute("SET lock_timeout = '5s'")
        for account in (ACCOUNT, OTHER):
            folds.append(writing, account, [an_event(str(n), at=n) for n in range(10)])
            folds.fold(writing, account)

        def meanwhile(_: int) -> None:
            for account in (ACCOUNT, OTHER):
                folds.append(writing, account, [an_event("3", "Updated", -5), an_event("77")])
                folds.fold(writing, account)

        assert list(verification.verify(verifying, Verified(), read=meanwhile)) == []
        assert verify(verifying) == []
        heads = verifying.execute("SELECT position FROM inventory.account").fetchall()
        assert all(position > 20 for (position,) in heads)


def test_a_writer_that_never_pauses_changes_nothing_that_is_looked_at(database: Database) -> None:
    stop = threading.Event()

    def write() -> None:
        with database.connect() as connection:
            at = 0
            while not stop.is_set():
                at += 1
                folds.append(connection, ACCOUNT, [an_event(str(at % 5), at=at % 7)])
                folds.fold(connection, ACCOUNT)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        with database.connect() as connection:
            assert [verify(connection) for _ in range(15)] == [[]] * 15
    finally:
        stop.set()
        writer.join()


def test_a_rebuild_does_not_pull_the_tables_away(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_module("inventory.projector.rebuild"), "PATIENCE", 1)
    held: list[object] = []
    with database.connect() as verifying, database.connect() as rebuilding:
        folds.append(rebuilding, ACCOUNT, [an_event("7")])
        folds.fold(rebuilding, ACCOUNT)

        def meanwhile(_: int) -> None:
            if not held:
                with pytest.raises(projector.ReadersHeldOn) as refusal:
                    projector.rebuild(rebuilding)
                held.append(refusal)
                rebuilding.rollback()

        assert list(verification.verify(verifying, Verified(), read=meanwhile)) == []
    assert held


def test_the_application_may_verify(connection: Connection) -> None:
    folds.append(connection, ACCOUNT, [an_event("7")])
    folds.fold(connection, ACCOUNT)
    connection.execute("SET ROLE inventory_app")
    assert verify(connection) == []


@pytest.fixture
def log(connection: Connection) -> Connection:
    """
    Ten events of two numbers under five seals, and another account beside them; triggers asleep.

    1…3 webhook, 4…6 webhook, 7 a look, 8 a correction, 9…10 webhook.
    """
    batches: list[list[Event]] = [
        [
            an_event("5", "Created", 0),
            an_event("6", "Created", 0),
            an_event("5", at=10, provider_id="2"),
        ],
        [
            an_event("5", at=20, provider_id="3", provider_name="Three"),
            an_event("5", at=20, provider_id="2"),
            an_event("6", "Deleted", 20),
        ],
        [an_event("5", at=30, origin="observation", provider_id="2")],
        [an_event("6", at=40, origin="operator", location="Ceuta")],
        [
            an_event("5", at=50, provider_id="2", uri="https://two.example/5"),
            an_event("7", at=50, usage_type="DirectNumber"),
        ],
    ]
    for account in (ACCOUNT, OTHER):
        for batch in batches:
            folds.append(connection, account, batch)
        folds.fold(connection, account)
    for table in (schema.event, schema.seal):
        connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
    connection.commit()
    assert verify(connection) == []
    return connection


OF_5 = "WHERE account_id = '37439510' AND position = 5"
PENDING = "replace(payload::text, 'Normal', 'Pending')"
SHA_OF_PENDING = f"sha256(convert_to({PENDING}, 'UTF8'))"

WITHOUT_CHECKS = """
DO $$
BEGIN
    EXECUTE (
        SELECT string_agg('ALTER TABLE inventory.event DROP CONSTRAINT ' || conname, ';')
        FROM pg_constraint
        WHERE conrelid = 'inventory.event'::regclass AND contype = 'c'
    );
END
$$
"""


def swapped(one: int, other: int) -> str:
    return "".join(
        f"UPDATE inventory.event SET position = {to} WHERE account_id = '37439510'"
        f" AND position = {at};"
        for at, to in ((one, 999), (other, one), (999, other))
    )


FIRST_AND_PREVIOUS = ("seal.first_position", "seal.previous_hash")

# What a superuser does to the log, and what must be named for it: the thing and its position. A
# thorough hand folds the projection anew behind it.
TAMPERINGS: dict[str, tuple[str, set[tuple[str, int]]]] = {
    "payload": (
        f"UPDATE inventory.event SET payload = {PENDING}::json {OF_5}",
        {("event.payload_sha256", 5), ("event.status", 5), ("seal.events_hash", 6)},
    ),
    "white space in a payload": (
        f"UPDATE inventory.event SET payload = (payload::text || ' ')::json {OF_5}",
        {("event.payload_sha256", 5), ("seal.events_hash", 6)},
    ),
    "payload and its hash": (
        f"UPDATE inventory.event SET payload = {PENDING}::json,"
        f" payload_sha256 = {SHA_OF_PENDING} {OF_5}",
        {("event.status", 5), ("seal.events_hash", 6)},
    ),
    "payload, its hash and column": (
        f"UPDATE inventory.event SET payload = {PENDING}::json, status = 'Pending',"
        f" payload_sha256 = {SHA_OF_PENDING} {OF_5}",
        {("seal.events_hash", 6)},
    ),
    "payload that is no notification": (
        f"UPDATE inventory.event SET payload = '[]' {OF_5}",
        {("event.payload_sha256", 5), ("event.payload", 5), ("seal.events_hash", 6)},
    ),
    "column": (
        f"UPDATE inventory.event SET location = 'Mars' {OF_5}",
        {("event.location", 5)},
    ),
    "instant beyond all years": (
        f"UPDATE inventory.event SET occurred_at = 'infinity', recorded_at = '-infinity' {OF_5}",
        {("event.occurred_at", 5), ("event.recorded_at", 5)},
    ),
    "kind of event that there is not": (
        f"{WITHOUT_CHECKS};UPDATE inventory.event SET event_type = 'Renamed' {OF_5}",
        {("event.event_type", 5)},
    ),
    "origin": (
        f"UPDATE inventory.event SET origin = 'operator' {OF_5}",
        {("event.origin", 5)},
    ),
    "time of recording": (
        f"UPDATE inventory.event SET recorded_at = recorded_at - interval '1 day' {OF_5}",
        {("event.recorded_at", 5)},
    ),
    "row gone from the middle": (
        f"DELETE FROM inventory.event {OF_5}",
        {("event", 5)},
    ),
    "row gone from the end, and the head moved": (
        "DELETE FROM inventory.event WHERE account_id = '37439510' AND position = 10;"
        "UPDATE inventory.account SET position = 9 WHERE account_id = '37439510'",
        {("event", 10), ("account.position", 10)},
    ),
    "rows and their seal gone from the middle": (
        "DELETE FROM inventory.event WHERE account_id = '37439510' AND position BETWEEN 4 AND 6;"
        "DELETE FROM inventory.seal WHERE account_id = '37439510' AND last_position = 6",
        {("event", 4), ("seal.first_position", 7), ("seal.previous_hash", 7)},
    ),
    "two rows of a seal swapped": (
        swapped(4, 5),
        {("seal.events_hash", 6)},
    ),
    "two rows of two seals swapped": (
        swapped(3, 4),
        {
            *(("event.recorded_at", 3), ("event.recorded_at", 4)),
            *(("seal.events_hash", 3), ("seal.events_hash", 6)),
        },
    ),
    "row inserted": (
        "CREATE TEMPORARY TABLE stray AS SELECT * FROM inventory.event;"
        f"UPDATE stray SET position = 11, event_uuid = 'stray' {OF_5};"
        "INSERT INTO inventory.event SELECT * FROM stray WHERE event_uuid = 'stray'",
        {("event.event_uuid", 11), ("seal", 11)},
    ),
    "seal gone": (
        "DELETE FROM inventory.seal WHERE account_id = '37439510' AND last_position = 6",
        {("seal", 4), ("seal.first_position", 7), ("seal.previous_hash", 7)},
    ),
    "two seals gone": (
        "DELETE FROM inventory.seal WHERE account_id = '37439510' AND last_position IN (6, 8)",
        {
            *(("seal", 4), ("seal", 8)),
            *((what, at) for what in FIRST_AND_PREVIOUS for at in (7, 10)),
        },
    ),
    "last seal gone": (
        "DELETE FROM inventory.seal WHERE account_id = '37439510' AND last_position = 10",
        {
            *(("seal", 9), ("account.position", 8)),
            *(("account.head_hash", 8), ("account.recorded_at", 8)),
        },
    ),
    "seal's source": (
        "UPDATE inventory.seal SET source = 'webhook'"
        " WHERE account_id = '37439510' AND last_position = 6",
        {("seal.hash", 6)},
    ),
    "seal's source, to somebody": (
        "UPDATE inventory.seal SET source = 'operator:eve'"
        " WHERE account_id = '37439510' AND last_position = 10",
        {
            ("seal.hash", 10),
            *((column, at) for column in ("event.origin", "event.payload") for at in (9, 10)),
        },
    ),
    "seal's first position, beyond reason": (
        "UPDATE inventory.seal SET first_position = -7"
        " WHERE account_id = '37439510' AND last_position = 6",
        {("seal.first_position", 6), ("seal.hash", 6)},
    ),
    "head hash": (
        "UPDATE inventory.account SET head_hash = sha256('') WHERE account_id = '37439510'",
        {("account.head_hash", 10)},
    ),
}


@pytest.mark.parametrize("tampering", TAMPERINGS, ids=lambda name: name.replace(" ", "-"))
def test_what_is_done_to_the_log_is_named_down_to_its_position(
    log: Connection, tampering: str
) -> None:
    numbers: dict[int | None, str] = dict(
        log.execute(
            "SELECT position, phone_number_id FROM inventory.event WHERE account_id = %s", [ACCOUNT]
        ).fetchall()
    )
    deed, expected = TAMPERINGS[tampering]
    log.execute(deed.encode())
    projector.rebuild(log)
    differences = verify(log)
    assert named(differences) == expected
    for difference in differences:
        assert difference.account_id == ACCOUNT
        assert difference.expected != difference.found
        if difference.what.startswith("event."):
            number = numbers.get(difference.position, "5")
            assert difference.phone_number_id == number
    assert verify(log, OTHER) == []


def test_an_account_whose_row_is_gone_is_named(log: Connection) -> None:
    log.execute("DELETE FROM inventory.account WHERE account_id = %s", [ACCOUNT])
    log.commit()
    (difference,) = verify(log)
    assert difference[:4] == (ACCOUNT, 10, None, "account")


def test_an_event_in_the_log_of_another_account_is_named(connection: Connection) -> None:
    payload = next(sample.history(events=1, numbers=1))
    event = columns.read(payload, "none")
    assert isinstance(event, Event)
    assert event.account_id == "400000001"
    folds.append(connection, ACCOUNT, [event])
    (difference,) = verify(connection)
    assert difference == (ACCOUNT, 1, "700000000", "event.account_id", "400000001", ACCOUNT)


PROJECTION_TAMPERINGS: dict[str, tuple[str, set[tuple[str, int]]]] = {
    "number edited": (
        "UPDATE inventory.contact_center_number SET status = 'Pending', unverified_since = NULL"
        " WHERE account_id = '37439510' AND phone_number_id = '5'",
        {("contact_center_number.status", 9), ("contact_center_number.unverified_since", 9)},
    ),
    "number gone": (
        "DELETE FROM inventory.contact_center_number"
        " WHERE account_id = '37439510' AND phone_number_id = '5'",
        {("contact_center_number", 9)},
    ),
    "number added": (
        "CREATE TEMPORARY TABLE stray AS SELECT * FROM inventory.contact_center_number"
        " WHERE account_id = '37439510' AND phone_number_id = '5';"
        "UPDATE stray SET phone_number_id = '55';"
        "INSERT INTO inventory.contact_center_number SELECT * FROM stray",
        {("contact_center_number", 9)},
    ),
    "version edited": (
        "UPDATE inventory.contact_center_number_version SET provider_id = '3'"
        " WHERE account_id = '37439510' AND opened_by = 3",
        {("contact_center_number_version.provider_id", 3)},
    ),
    "version gone": (
        "DELETE FROM inventory.contact_center_number_version"
        " WHERE account_id = '37439510' AND opened_by = 3",
        {("contact_center_number_version", 3)},
    ),
    "version added": (
        "CREATE TEMPORARY TABLE stray AS SELECT * FROM inventory.contact_center_number_version"
        " WHERE account_id = '37439510' AND opened_by = 3;"
        "UPDATE stray SET valid_from = valid_from - interval '1 second', opened_by = 1;"
        "INSERT INTO inventory.contact_center_number_version SELECT * FROM stray",
        {("contact_center_number_version", 1)},
    ),
    "momentary version edited": (
        "UPDATE inventory.contact_center_number_momentary_version SET provider_name = 'Trois'"
        " WHERE account_id = '37439510'",
        {("contact_center_number_momentary_version.provider_name", 4)},
    ),
    "momentary version gone": (
        "DELETE FROM inventory.contact_center_number_momentary_version"
        " WHERE account_id = '37439510'",
        {("contact_center_number_momentary_version", 4)},
    ),
    "momentary version added": (
        "CREATE TEMPORARY TABLE stray AS SELECT *"
        " FROM inventory.contact_center_number_momentary_version WHERE account_id = '37439510';"
        "UPDATE stray SET opened_by = 2;"
        "INSERT INTO inventory.contact_center_number_momentary_version SELECT * FROM stray",
        {("contact_center_number_momentary_version", 2)},
    ),
    "checkpoint ahead of the log": (
        "UPDATE inventory.projection_checkpoint SET position = 11 WHERE account_id = '37439510'",
        {("projection_checkpoint.position", 10)},
    ),
}


@pytest.mark.parametrize(
    "tampering", PROJECTION_TAMPERINGS, ids=lambda name: name.replace(" ", "-")
)
def test_what_is_done_to_the_projection_is_named_down_to_its_event(
    log: Connection, tampering: str
) -> None:
    deed, expected = PROJECTION_TAMPERINGS[tampering]
    log.execute(deed.encode())
    differences = verify(log)
    assert named(differences) == expected
    assert {difference.account_id for difference in differences} == {ACCOUNT}


# When the latest fold was done follows from nothing else.
UNVERIFIABLE = {"projection_checkpoint.folded_at"}

ANOTHER: dict[type, str] = {
    Text: "CASE WHEN {column} = 'Deleted' THEN 'Created' WHEN {column} = 'operator' THEN"
    " 'notification' WHEN {column} = 'notification' THEN 'operator' WHEN {column} IN"
    " ('Created', 'Updated') THEN 'Deleted' ELSE 'Mars' END",
    BigInteger: "coalesce({column}, 0) + 1",
    TIMESTAMP: "coalesce({column}, now()) + interval '1 microsecond'",
    LargeBinary: "sha256({column})",
    JSON: "'{{}}'",
}


def test_no_column_of_the_record_can_be_altered_unseen(log: Connection) -> None:
    for table in RECORD:
        for column in table.c:
            what = f"{table.name}.{column.name}"
            another = ANOTHER[type(column.type)]
            with kept(log, table):
                log.execute(
                    sql.SQL(
                        "UPDATE {table} SET {column} = " + another + " WHERE ctid = ("
                        "SELECT ctid FROM {table} WHERE account_id = %s ORDER BY {row} DESC LIMIT 1"
                        ")"
                    ).format(
                        table=sql.Identifier(table.schema or "", table.name),
                        column=sql.Identifier(column.name),
                        row=sql.SQL(", ").join(map(sql.Identifier, table.primary_key.c.keys())),
                    ),
                    [ACCOUNT],
                )
                differences = verify(log)
                assert bool(differences) is (what not in UNVERIFIABLE), (what, differences)
                # A row under another key is one too few and one too many; a seal is one hash.
                if differences and column.name not in {*table.primary_key.c.keys(), "payload"}:
                    wanted = {what, "seal.hash"} if table is schema.seal else {what}
                    assert wanted & {difference.what for difference in differences}, differences
    assert verify(log) == []


@contextmanager
def kept(connection: Connection, table: Table) -> Iterator[None]:
    """Puts the table's rows back as they were."""
    names = {
        "table": sql.Identifier(table.schema or "", table.name),
        "kept": sql.Identifier(f"kept_{table.name}"),
    }
    connection.execute(sql.SQL("CREATE TABLE {kept} AS SELECT * FROM {table}").format(**names))
    yield
    for statement in (
        "TRUNCATE {table}",
        "INSERT INTO {table} SELECT * FROM {kept}",
        "DROP TABLE {kept}",
    ):
        connection.execute(sql.SQL(statement).format(**names))
    connection.commit()


def forge(connection: Connection, account: str) -> None:
    """Seal an account's log anew, as whoever knows how would, after altering it."""
    previous_hash = genesis(account)
    seals = connection.execute(
        "SELECT first_position, last_position, sealed_at, source FROM inventory.seal"
        " WHERE account_id = %s ORDER BY last_position",
        [account],
    ).fetchall()
    connection.execute(
        "UPDATE inventory.event SET payload_sha256 = sha256(convert_to(payload::text, 'UTF8'))"
    )
    for first, last, sealed_at, source in seals:
        payloads = connection.execute(
            "SELECT payload_sha256 FROM inventory.event WHERE account_id = %s"
            " AND position BETWEEN %s AND %s ORDER BY position",
            [account, first, last],
        ).fetchall()
        events_hash = sha256(b"".join(row[0] for row in payloads)).digest()
        hash_ = seal_hash(previous_hash, first, last, sealed_at, events_hash, source)
        connection.execute(
            "UPDATE inventory.seal SET previous_hash = %s, events_hash = %s, hash = %s"
            " WHERE account_id = %s AND last_position = %s",
            [previous_hash, events_hash, hash_, account, last],
        )
        previous_hash = hash_
    connection.execute(
        "UPDATE inventory.account AS account"
        " SET position = seal.last_position, head_hash = hash, recorded_at = sealed_at"
        " FROM inventory.seal WHERE seal.account_id = %s AND account.account_id = %s"
        " AND last_position = (SELECT max(last_position) FROM inventory.seal WHERE account_id = %s)",
        [account, account, account],
    )
    projector.rebuild(connection)
    connection.commit()


def all_heads(connection: Connection) -> list[Anchor]:
    """Every head that the account ever had."""
    rows = connection.execute(
        "SELECT account_id, last_position, hash FROM inventory.seal WHERE account_id = %s",
        [ACCOUNT],
    )
    return [Anchor(ACCOUNT, 0, genesis(ACCOUNT)), *(Anchor(*row) for row in rows)]


def test_a_chain_forged_from_some_point_is_found_by_heads_noted_after_it(log: Connection) -> None:
    heads = all_heads(log)
    assert verify(log, anchors=heads) == []
    log.execute(
        f"UPDATE inventory.event SET payload = {PENDING}::json, status = 'Pending' {OF_5}".encode()
    )
    forge(log, ACCOUNT)
    assert verify(log) == []
    assert named(verify(log, anchors=heads)) == {("head", at) for at in (6, 7, 8, 10)}
    assert verify(log, OTHER, heads) == []


def test_a_tail_that_was_cut_off_is_found_by_a_head_noted_before(log: Connection) -> None:
    heads = all_heads(log)
    log.execute("DELETE FROM inventory.event WHERE account_id = %s AND position > 8", [ACCOUNT])
    log.execute("DELETE FROM inventory.seal WHERE account_id = %s AND last_position > 8", [ACCOUNT])
    forge(log, ACCOUNT)
    assert verify(log) == []
    (difference,) = verify(log, anchors=heads)
    assert difference[:4] == (ACCOUNT, 10, None, "head")
    assert "the log ends at 8" in str(difference.found)


def test_seals_that_were_joined_are_found_by_a_head_between_them(log: Connection) -> None:
    heads = all_heads(log)
    log.execute("DELETE FROM inventory.seal WHERE account_id = %s AND last_position = 3", [ACCOUNT])
    log.execute(
        "UPDATE inventory.seal SET first_position = 1 WHERE account_id = %s AND last_position = 6",
        [ACCOUNT],
    )
    log.execute(
        "UPDATE inventory.event SET recorded_at = sealed_at FROM inventory.seal"
        " WHERE event.account_id = %s AND position < 4"
        " AND seal.account_id = event.account_id AND last_position = 6",
        [ACCOUNT],
    )
    forge(log, ACCOUNT)
    assert verify(log) == []
    by_position = {difference.position: difference for difference in verify(log, anchors=heads)}
    assert set(by_position) == {3, 6, 7, 8, 10}
    assert by_position[3].found == "no seal ends there"


def test_an_account_that_is_gone_without_a_trace_is_found_by_its_head(log: Connection) -> None:
    heads = [Anchor("1", 5, bytes(32))]
    assert named(verify(log, anchors=heads)) == {("account", 0), ("head", 5)}
    assert named(verify(log, "1", heads)) == {("account", 0), ("head", 5)}
    with pytest.raises(verification.AccountUnknown, match="got '1'"):
        verify(log, "1")
