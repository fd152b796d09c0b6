"""Data of every revision, brought to the newest one: nothing is lost, and everything verifies."""

from __future__ import annotations

from typing import Any

import pytest
from psycopg import Connection

from inventory import migration
from inventory.database import Database
from inventory.event import Event
from inventory.verification import Difference, Verified, verify
from tests import folds
from tests.histories import an_event

REVISIONS = [f"{number:04d}" for number in range(1, int(migration.head()) + 1)]
ACCOUNTS = ("37439510", "400000001")
LOG = "SELECT * FROM inventory.event ORDER BY account_id, position"
SEALS = "SELECT * FROM inventory.seal ORDER BY account_id, last_position"


def a_life(serial: int) -> list[Event]:
    """Numbers that live, move, leave and come back; in part known late."""
    first = serial * 100
    return [
        an_event("1", "Created" if serial == 0 else "Updated", first, provider_id=str(serial)),
        an_event("2", "Updated", first + 1, location=f"Belmont {serial}"),
        an_event("3", "Deleted" if serial % 2 else "Created", first + 2),
        an_event("4", "Updated", first - 150, usage_type="MainCompanyNumber"),
        an_event("1", "Updated", first - 50, status="Pending"),
    ]


def differences(connection: Connection) -> tuple[Verified, list[Difference]]:
    verified = Verified()
    connection.rollback()
    found = list(verify(connection, verified))
    return verified, found


def rows(connection: Connection, statement: str) -> list[Any]:
    return connection.execute(statement.encode()).fetchall()


@pytest.mark.parametrize("first", REVISIONS)
def test_data_of_any_revision_is_there_at_the_newest_one_and_verifies(
    empty_database: Database, first: str
) -> None:
    written: list[Event] = []
    before: tuple[list[Any], list[Any]] = ([], [])
    with empty_database.connect() as connection:
        for serial, revision in enumerate(REVISIONS[REVISIONS.index(first) :]):
            with empty_database.engine.begin() as upgrading:
                migration.create_roles(upgrading)
                migration.become_owner(upgrading)
                migration.upgrade(upgrading, revision)
            assert (rows(connection, LOG), rows(connection, SEALS)) == before
            connection.rollback()
            for account in ACCOUNTS:
                folds.append(connection, account, a_life(serial))
            written += a_life(serial)
            before = rows(connection, LOG), rows(connection, SEALS)
            connection.rollback()
        empty_database.upgrade()
        for account in ACCOUNTS:
            folds.fold(connection, account)
        verified, found = differences(connection)
        assert found == []
        assert (verified.accounts, verified.events) == (2, 2 * len(written))
        # Of two lives at least, one thing altered behind the triggers is noticed.
        connection.execute("SET session_replication_role = replica")
        connection.execute("ALTER TABLE inventory.event DISABLE TRIGGER ALL")
        connection.execute(
            "UPDATE inventory.event SET status = 'Gone' WHERE account_id = '37439510'"
            " AND position = 1"
        )
        connection.commit()
        _, found = differences(connection)
        assert {(each.position, each.what) for each in found} >= {(1, "event.status")}


def test_a_fold_from_before_a_later_revision_goes_on_after_it(empty_database: Database) -> None:
    with empty_database.engine.begin() as upgrading:
        migration.create_roles(upgrading)
        migration.become_owner(upgrading)
        migration.upgrade(upgrading, "0003")
    with empty_database.connect() as connection:
        folds.append(connection, "1", a_life(0))
        folds.fold(connection, "1")
        folds.append(connection, "1", a_life(1))
    empty_database.upgrade()
    with empty_database.connect() as connection:
        folds.fold(connection, "1")
        assert differences(connection)[1] == []
        assert folds.projected(connection, "1")[1]
