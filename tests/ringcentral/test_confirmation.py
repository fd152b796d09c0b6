from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from psycopg import Connection

from inventory.confirmation import confirm
from inventory.event import Event
from inventory.notification import parse
from inventory.ringcentral import Denied, RingCentral, Unavailable
from inventory.simulator.platform import Number, Platform
from tests import folds
from tests.ringcentral.conftest import Simulated

NOW = datetime.now(UTC)


@pytest.fixture
def doubted(simulated: Simulated, connection: Connection) -> Number:
    """A number whose latest notification said nothing new."""
    connection.autocommit = True
    number = simulated.platform.add(type="VoiceOnly")
    tell(connection, simulated.platform, number, "Created", NOW - timedelta(hours=2))
    tell(connection, simulated.platform, number, "Updated", NOW - timedelta(hours=1))
    fold(connection, simulated.platform)
    assert state(connection)[3] is not None
    return number


def tell(
    connection: Connection, platform: Platform, number: Number, event_type: str, at: datetime
) -> None:
    """As a notification would, in the event's words for what REST says otherwise."""
    provider = {**number["contactCenterProvider"], "name": "As the event has it"}
    info = {**number, "id": str(number["id"]), "type": "Voice", "contactCenterProvider": provider}
    notification = {
        "uuid": at.isoformat(),
        "event": f"/restapi/v1.0/account/{platform.account_id}/phone-number",
        "timestamp": at.isoformat(),
        "body": {"eventType": event_type, "phoneNumberInfo": info},
    }
    event = parse(json.dumps(notification).encode(), latest=datetime.now(UTC))
    assert isinstance(event, Event)
    folds.append(connection, platform.account_id, [event])


def fold(connection: Connection, platform: Platform) -> None:
    folds.fold(connection, platform.account_id)


def state(connection: Connection) -> Any:
    return connection.execute(
        "SELECT phone_number_id, number_type, provider_name, unverified_since, verified_at,"
        " provider_id FROM inventory.contact_center_number"
    ).fetchone()


def test_a_number_that_is_still_there_is_verified_and_nothing_else_changes(
    simulated: Simulated, client: RingCentral, connection: Connection, doubted: Number
) -> None:
    before = datetime.now(UTC)
    assert confirm(connection, client) == (1, 1)
    fold(connection, simulated.platform)
    id_, number_type, provider_name, unverified_since, verified_at, _ = state(connection)
    assert (id_, number_type, provider_name) == (
        str(doubted["id"]),
        "Voice",
        "As the event has it",
    )
    assert unverified_since is None
    assert before <= verified_at <= datetime.now(UTC)
    assert versions(connection) == 1
    assert confirm(connection, client) == (0, 0)


def versions(connection: Connection) -> int:
    row = connection.execute(
        "SELECT count(*) FROM inventory.contact_center_number_version"
    ).fetchone()
    assert row is not None
    return int(row[0])


def test_what_is_found_different_is_taken_over(
    simulated: Simulated, client: RingCentral, connection: Connection, doubted: Number
) -> None:
    doubted["contactCenterProvider"] = {"id": "7", "name": "Genesys Cloud"}
    assert confirm(connection, client) == (1, 1)
    fold(connection, simulated.platform)
    assert state(connection)[5] == "7"


@pytest.mark.parametrize("how", ["deleted", "reassigned"])
def test_a_number_that_has_left_leaves(
    simulated: Simulated, client: RingCentral, connection: Connection, doubted: Number, how: str
) -> None:
    if how == "deleted":
        del simulated.platform.numbers[str(doubted["id"])]
    else:
        doubted["usageType"] = "DirectNumber"
    assert confirm(connection, client) == (1, 1)
    fold(connection, simulated.platform)
    assert state(connection) is None


@pytest.mark.usefixtures("doubted")
def test_what_was_found_and_not_yet_folded_is_not_asked_again(
    client: RingCentral, connection: Connection
) -> None:
    assert confirm(connection, client) == (1, 1)
    assert confirm(connection, client) == (0, 0)


def test_a_number_that_may_not_be_seen_is_not_taken_for_deleted(
    simulated: Simulated, client: RingCentral, connection: Connection, doubted: Number
) -> None:
    del simulated.platform.numbers[str(doubted["id"])]
    simulated.platform.faults.unprivileged = True
    with pytest.raises(Denied, match="ReadCompanyPhoneNumbers"):
        confirm(connection, client)
    fold(connection, simulated.platform)
    assert state(connection) is not None


@pytest.mark.usefixtures("doubted")
def test_a_failed_read_is_not_taken_for_a_deletion(
    simulated: Simulated,
    client: RingCentral,
    connection: Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("inventory.ringcentral.requester.ATTEMPTS", 1)
    simulated.platform.faults.refuse = 1.0
    with pytest.raises(Unavailable):
        confirm(connection, client)
    fold(connection, simulated.platform)
    assert state(connection)[3] is not None


@pytest.mark.usefixtures("doubted")
def test_numbers_of_an_account_that_is_not_ours_are_not_asked_about(
    simulated: Simulated, client: RingCentral, connection: Connection
) -> None:
    simulated.platform.account_id = "400000002"
    assert confirm(connection, client) == (0, 0)


@pytest.mark.usefixtures("doubted")
def test_of_two_that_would_ask_one_does(
    client: RingCentral, connection: Connection, database: Any
) -> None:
    with database.connect(autocommit=True) as other:
        lock = "SELECT pg_advisory_{}(hashtextextended('inventory confirmation', 0))"
        other.execute(lock.format("lock").encode())
        assert confirm(connection, client) == (0, 0)
        # A server takes back the locks of a connection that has closed when it gets to it.
        other.execute(lock.format("unlock").encode())
    assert confirm(connection, client) == (1, 1)
