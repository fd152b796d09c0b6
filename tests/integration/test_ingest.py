"""Taking in: everything that arrived is in the log or in quarantine, whatever happens meanwhile."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from inventory import event_log, ingest, notification, quarantine, sample
from inventory.database import Database
from inventory.ingest import Intake, Outcome
from inventory.ingest import intake as room
from tests.integration.test_event_log import assert_whole

OPTIONS: dict[str, Any] = {"account_id": None, "future_tolerance": timedelta(minutes=5)}


def take_in(connection: Connection, payloads: list[bytes], **options: Any) -> Outcome:
    total = Outcome()

    def written(outcome: Outcome) -> None:
        nonlocal total
        total += outcome

    Intake("test", numbered=True, **(OPTIONS | options)).run(connection, [payloads], written)
    return total


def counts(connection: Connection) -> tuple[int, int]:
    """Events in the log, items in quarantine."""
    row = connection.execute(
        "SELECT (SELECT count(*) FROM inventory.event), (SELECT count(*) FROM inventory.quarantine)"
    ).fetchone()
    connection.rollback()
    assert row is not None
    return row[0], row[1]


def test_a_batch_with_bad_items_lands_its_good_ones(connection: Connection) -> None:
    history = list(sample.demo_history())
    outcome = take_in(connection, history)
    assert outcome.total == len(history)
    assert counts(connection) == (outcome.appended, outcome.quarantined)
    assert outcome.quarantined == 11
    assert_whole(connection)


def test_the_same_again_appends_nothing(connection: Connection) -> None:
    history = list(sample.demo_history())
    first = take_in(connection, history)
    before = counts(connection)
    again = take_in(connection, history)
    assert again.appended == 0
    assert again.duplicates == first.appended + first.duplicates
    assert again.quarantined == first.quarantined
    assert counts(connection) == before
    arrivals = connection.execute("SELECT DISTINCT arrivals FROM inventory.quarantine").fetchall()
    assert arrivals == [(2,)]


def test_quarantine_keeps_the_bytes_the_source_and_the_reason(connection: Connection) -> None:
    take_in(connection, [b'{"half": ', b"\xff\x00\xfe"])
    rows = connection.execute(
        "SELECT payload, source, reason FROM inventory.quarantine ORDER BY id"
    ).fetchall()
    assert sorted(rows) == [
        (b'{"half": ', "test#1", "invalid_json"),
        (b"\xff\x00\xfe", "test#2", "invalid_json"),
    ]


def test_a_conflict_is_quarantined_not_dropped(connection: Connection) -> None:
    one = sample.documented_notification()
    other = json.loads(json.dumps(one))
    other["body"]["phoneNumberInfo"]["status"] = "Pending"
    take_in(connection, [json.dumps(one).encode()])
    outcome = take_in(connection, [json.dumps(other).encode()])
    assert (outcome.appended, outcome.quarantined) == (0, 1)
    row = connection.execute("SELECT reason, payload FROM inventory.quarantine").fetchone()
    assert row == ("uuid_conflict", json.dumps(other).encode())


class Crash(BaseException):
    """Planted."""


def test_a_crash_loses_nothing_that_was_reported(
    database: Database, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "BATCH", 50)
    history = list(sample.history(events=1000, numbers=40))
    reported = Outcome()

    def written(outcome: Outcome) -> None:
        nonlocal reported
        reported += outcome

    def breaking_off() -> Iterator[list[bytes]]:
        for at in range(0, 500, 50):
            yield history[at : at + 50]
        raise Crash

    intake = Intake("test", **OPTIONS)
    with pytest.raises(Crash):
        intake.run(connection, breaking_off(), written)
    with database.connect() as another:
        assert counts(another)[0] == reported.appended == 500
        assert take_in(another, history).appended == 500
        assert_whole(another)


def test_a_batch_that_fails_leaves_nothing_half_written(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise psycopg.OperationalError("planted")

    monkeypatch.setattr(quarantine, "put", fail)
    with pytest.raises(psycopg.OperationalError, match="planted"):
        take_in(connection, list(sample.demo_history()))
    assert counts(connection) == (0, 0)


@pytest.mark.parametrize("recorded", [0, 2])
def test_what_postgresql_alone_refuses_does_not_stop_the_rest(
    connection: Connection, monkeypatch: pytest.MonkeyPatch, recorded: int
) -> None:
    def careless(payload: bytes, **options: Any) -> Any:
        event: Any = notification.parse(payload, **options)
        if b"poison" in payload:
            attributes = event.attributes._replace(location="a\0b")
            event = event._replace(attributes=attributes)
        return event

    monkeypatch.setattr(room, "parse", careless)
    lines = list(sample.history(events=10, numbers=5))
    lines[4] = lines[4].replace(b"Washington", b"poison")
    take_in(connection, lines[:recorded])
    outcome = take_in(connection, lines)
    assert (outcome.appended, outcome.duplicates) == (9 - recorded, recorded)
    assert outcome.quarantined == 1
    row = connection.execute("SELECT reason, payload FROM inventory.quarantine").fetchone()
    assert row == ("invalid_notification", lines[4])
    assert_whole(connection)


@pytest.fixture
def nameless(connection: Connection) -> Connection:
    """A database with an item that names no account in quarantine."""
    sent = sample.documented_notification()
    sent["body"]["phoneNumberInfo"]["uri"] = None
    take_in(connection, [json.dumps(sent).encode(), b"junk"])
    return connection


def test_a_retry_appends_what_is_an_event_by_now(nameless: Connection) -> None:
    ids = quarantine.open_ids(nameless)
    assert len(ids) == 2
    done = ingest.retry(nameless, ids, **(OPTIONS | {"account_id": "5"}))
    nameless.commit()
    assert done == (1, 0, 1)
    assert len(quarantine.open_ids(nameless)) == 1
    assert quarantine.open_ids(nameless, "account_unknown") == []
    row = nameless.execute("SELECT account_id, position FROM inventory.event").fetchone()
    assert row == ("5", 1)


def test_a_retry_that_finds_it_recorded_resolves_it(nameless: Connection) -> None:
    ids = quarantine.open_ids(nameless, "account_unknown")
    payload = nameless.execute(
        "SELECT payload FROM inventory.quarantine WHERE id = %s", ids
    ).fetchone()
    assert payload is not None
    take_in(nameless, [payload[0]], account_id="5")
    assert ingest.retry(nameless, ids, **(OPTIONS | {"account_id": "5"})) == (0, 1, 0)


def test_what_is_resolved_is_not_resolved_again(nameless: Connection) -> None:
    ids = quarantine.open_ids(nameless)
    quarantine.discard(nameless, ids, "a probe")
    assert quarantine.open_ids(nameless) == []
    with pytest.raises(quarantine.NotInQuarantine, match="discarded: a probe"):
        quarantine.discard(nameless, ids, "again")
    with pytest.raises(quarantine.NotInQuarantine, match="found none"):
        ingest.retry(nameless, [12345], **OPTIONS)


def test_an_empty_batch_is_nothing(connection: Connection) -> None:
    assert take_in(connection, []).total == 0
    assert event_log.append(connection, event_log.prepare([]), source="test").appended == 0
