"""The campaign's checks: silent on a sound database, and each bites where a fault is planted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from psycopg import Connection

from inventory import projector
from inventory.event import Event
from inventory.ingest import Intake
from tests.torture.checks import check
from tests.torture.ledger import Ledger
from tests.torture.notifications import Item, Notifications, respelled

UNGUARDED = """
ALTER TABLE inventory.event DISABLE TRIGGER ALL;
ALTER TABLE inventory.seal DISABLE TRIGGER ALL
"""

A_COPY = """
CREATE TEMPORARY TABLE twice AS
SELECT * FROM inventory.event WHERE account_id = '400000001' AND position = 7;
UPDATE twice SET position = (SELECT position + 1 FROM inventory.account WHERE account_id = '400000001');
ALTER TABLE inventory.event DROP CONSTRAINT event_account_id_phone_number_id_event_uuid_key;
INSERT INTO inventory.event SELECT * FROM twice;
UPDATE inventory.account SET position = position + 1 WHERE account_id = '400000001'
"""

PLANTED = {
    "an event deleted behind the triggers": (
        "DELETE FROM inventory.event WHERE account_id = '400000001' AND position = 5",
        ["positions are not dense", "the chain is broken", "acknowledged and lost"],
    ),
    "the latest event deleted, and the head set back": (
        """
        DELETE FROM inventory.event AS event USING inventory.account AS account
        WHERE event.account_id = '400000001' AND account.account_id = '400000001'
            AND event.position = account.position;
        UPDATE inventory.account SET position = position - 1 WHERE account_id = '400000001'
        """,
        ["the chain is broken", "acknowledged and lost"],
    ),
    "an event that is there twice": (A_COPY, ["twice in the log", "the chain is broken"]),
    "a payload that was altered, with its hash": (
        """
        UPDATE inventory.event SET payload = '{"uuid": "1"}',
            payload_sha256 = sha256(convert_to('{"uuid": "1"}', 'UTF8'))
        WHERE account_id = '400000002' AND position = 3
        """,
        ["the chain is broken", "out of nowhere"],
    ),
    "a payload that is not the one that was hashed": (
        "UPDATE inventory.event SET payload = '{}' WHERE account_id = '400000002' AND position = 3",
        ["altered"],
    ),
    "events recorded backwards": (
        "UPDATE inventory.event SET recorded_at = recorded_at - interval '1 h' WHERE position = 9",
        ["recorded backwards", "the chain is broken"],
    ),
    "a seal from elsewhere": (
        "UPDATE inventory.seal SET source = 'file:other' WHERE first_position = 1",
        ["the chain is broken"],
    ),
    "a head that is not the last seal's": (
        "UPDATE inventory.account SET head_hash = sha256('') WHERE account_id = '400000003'",
        ["the chain is broken"],
    ),
    "quarantine emptied": (
        "DELETE FROM inventory.quarantine WHERE reason = 'invalid_json'",
        ["acknowledged and lost"],
    ),
    "a rival that is nowhere": (
        "DELETE FROM inventory.quarantine WHERE reason = 'uuid_conflict'",
        ["acknowledged and lost"],
    ),
    "the log's business in quarantine": (
        """
        INSERT INTO inventory.quarantine (source, reason, detail, payload)
        SELECT 'webhook', 'invalid_json', '', convert_to(payload::text, 'UTF8')
        FROM inventory.event
        WHERE account_id = '400000001' AND position = 1
        """,
        ["in the wrong place"],
    ),
    "a number that is not as the log says": (
        "UPDATE inventory.contact_center_number SET location = 'Belmont, CA'",
        ["numbers"],
    ),
    "a number that is gone": (
        "DELETE FROM inventory.contact_center_number WHERE account_id = '400000004'",
        ["numbers"],
    ),
    "a version that ends too early": (
        """
        UPDATE inventory.contact_center_number_version SET valid_to = valid_to - interval '1 ms'
        WHERE valid_to IS NOT NULL
        """,
        ["versions"],
    ),
    "a projection that lags": (
        "UPDATE inventory.projection_checkpoint SET position = position - 1",
        ["not folded"],
    ),
    "commits that are not durable": (
        "SET synchronous_commit = 'local'; SET synchronous_commit = 'off'",
        ["not durable"],
    ),
}


@pytest.fixture
def ledger(connection: Connection) -> Ledger:
    """The ledger of a database that is sound."""
    connection.autocommit = True
    ledger = Ledger()
    notifications = Notifications("checks")
    intake = Intake("webhook", account_id=None, future_tolerance=timedelta(minutes=5))
    for _ in range(20):
        items = [notifications.next() for _ in range(25)]
        for item in items:
            ledger.sending(item)
        intake.write(connection, intake.read([item.payload for item in items]))
        for item in items:
            ledger.answered(item, "200", acknowledged=True)
    for account_id in projector.lagging(connection):
        with connection.transaction():
            projector.fold(connection, account_id)
    return ledger


# The tests' server is careless, and says so.
CARELESS = ["not durable: fsync is off", "not durable: full_page_writes is off"]


def test_nothing_is_found_in_a_sound_database(connection: Connection, ledger: Ledger) -> None:
    connection.execute("SET synchronous_commit = on")
    checked = check(connection, ledger)
    assert sorted(checked.findings) == CARELESS
    assert checked.events > 400
    assert checked.quarantined > 8
    assert checked.acknowledged == checked.events + checked.quarantined + _respelled(ledger)


def _respelled(ledger: Ledger) -> int:
    """Notifications that say what another says, in other bytes."""
    return sum(payload.startswith(b"{\n") for payload in ledger.acknowledged)


@pytest.mark.parametrize("fault", PLANTED)
def test_a_planted_fault_is_found(connection: Connection, ledger: Ledger, fault: str) -> None:
    statements, expected = PLANTED[fault]
    connection.execute("SET synchronous_commit = on")
    connection.execute(UNGUARDED)
    connection.execute(statements)
    findings = [f for f in check(connection, ledger).findings if f not in CARELESS]
    for beginning in expected:
        assert any(finding.startswith(beginning) for finding in findings), findings


def test_what_was_acknowledged_and_never_written_is_found(
    connection: Connection, ledger: Ledger
) -> None:
    for item in (
        _next(Notifications("other"), junk=False),
        _next(Notifications("other"), junk=True),
    ):
        ledger.sending(item)
        ledger.answered(item, "200", acknowledged=True)
        findings = check(connection, ledger).findings
        assert any(finding.startswith("acknowledged and lost") for finding in findings)
        ledger.acknowledged.remove(item.payload)


def test_what_was_not_acknowledged_may_be_in_the_log_or_not(
    connection: Connection, ledger: Ledger
) -> None:
    connection.execute("SET synchronous_commit = on")
    ledger.acknowledged.clear()
    ledger.sending(_next(Notifications("other"), junk=False))
    assert sorted(check(connection, ledger).findings) == CARELESS


def test_a_rival_that_is_told_twice_at_once_is_kept_once_in_whatever_words(
    connection: Connection, ledger: Ledger
) -> None:
    connection.execute("SET synchronous_commit = on")
    notifications = Notifications("checks")
    first = _next(notifications, junk=False)
    rival = first._replace(payload=first.payload.replace(b'"Updated"', b'"Deleted"'))
    rival = rival._replace(payload=rival.payload.replace(b'"Created"', b'"Deleted"'))
    assert rival.payload != first.payload
    told = [rival, respelled(rival)]
    for item in told:
        ledger.sending(item)
    intake = Intake("webhook", account_id=None, future_tolerance=timedelta(minutes=5))
    assert intake.write(connection, intake.read([item.payload for item in told])).quarantined == 1
    for item in told:
        ledger.answered(item, "200", acknowledged=True)
    assert sorted(check(connection, ledger).findings) == CARELESS


def test_the_notifications_are_read_as_what_they_are_meant_to_be() -> None:
    from inventory.notification import parse

    notifications = Notifications("reading")
    reasons = set()
    for _ in range(5_000):
        item = notifications.next()
        found = parse(item.payload, latest=datetime.now(UTC))
        if isinstance(found, Event):
            assert (found.account_id, found.phone_number_id, found.event_uuid) == item.key
        else:
            assert found.reason == item.reason
            reasons.add(found.reason)
    assert len(reasons) == 6


def _next(notifications: Notifications, *, junk: bool) -> Item:
    while True:
        item = notifications.next()
        if (item.key is None) == junk:
            return item
