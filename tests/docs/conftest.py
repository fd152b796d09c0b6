"""A database that has been through all that the pages speak of."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from psycopg import Connection

from inventory import projector
from inventory.database import Database
from inventory.notification import parse
from inventory.reconciliation import EVERYTHING, RingCentralSource, alone, reconcile
from inventory.ringcentral import RingCentral
from inventory.simulator import Platform
from inventory.simulator.platform import Number
from tests import folds
from tests.acceptance.conftest import take_in_the_demo
from tests.conftest import Command, clean_environment
from tests.ringcentral.conftest import far_limits, simulating


@pytest.fixture(scope="session")
def lived(
    lasting_database: Callable[[], Database], tmp_path_factory: pytest.TempPathFactory
) -> Database:
    """The demo's history, a correction to it, and an account that was held against RingCentral."""
    database = lasting_database()
    environment = clean_environment() | {"INVENTORY_DATABASE_URL": database.url}
    directory = tmp_path_factory.mktemp("demo")
    inventory = Command(environment, directory)
    take_in_the_demo(inventory, directory)
    correction = ("--location", "Washington, DC", "--reason", "ticket 4711", "--yes")
    inventory("event", "correct", "987654321", *correction)
    compare_an_account(database)
    return database


def compare_an_account(database: Database) -> None:
    """Changes that we were told of, and some that we were not."""
    platform = Platform(limits=far_limits())
    with (
        simulating(platform) as simulated,
        simulated.client() as client,
        database.connect(autocommit=True) as connection,
    ):
        numbers = [platform.add() for _ in range(6)]
        look(connection, client, platform)
        tell(connection, platform, "Created", platform.add())
        platform.delete(numbers[0])
        platform.change_silently(numbers[1], status="Pending")
        platform.change_silently(numbers[2], phoneNumber="+12025550000")
        look(connection, client, platform)


def look(connection: Connection, client: RingCentral, platform: Platform) -> None:
    account = platform.account_id
    with alone(connection, account):
        source = RingCentralSource(client, account)
        reconcile(connection, source, mode="apply", scope=EVERYTHING, override=None)
    with connection.transaction():
        projector.fold(connection, account)


def tell(connection: Connection, platform: Platform, event_type: str, number: Number) -> None:
    now = datetime.now(UTC)
    notification = {
        "uuid": f"{event_type} {number['id']}",
        "event": f"/restapi/v1.0/account/{platform.account_id}/phone-number",
        "timestamp": now.isoformat(),
        "body": {"eventType": event_type, "phoneNumberInfo": number},
    }
    event = parse(json.dumps(notification).encode(), latest=now)
    assert not hasattr(event, "reason"), event
    folds.append(connection, platform.account_id, [event])
    folds.fold(connection, platform.account_id)
