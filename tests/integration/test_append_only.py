"""The log cannot be rewritten: not by the application, not by its owner, whichever way it is tried."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import Connection

from inventory import quarantine
from inventory.quarantine import Quarantined
from tests import folds
from tests.histories import an_event

INSERT_AGAIN = (
    "INSERT INTO inventory.event SELECT * FROM inventory.event LIMIT 1"
    " ON CONFLICT (account_id, position) DO UPDATE SET location = 'Mars'"
)
MERGE_UPDATE = (
    "MERGE INTO inventory.event USING (VALUES (1)) AS v (x) ON true"
    " WHEN MATCHED THEN UPDATE SET location = 'Mars'"
)
MERGE_DELETE = (
    "MERGE INTO inventory.event USING (VALUES (1)) AS v (x) ON true WHEN MATCHED THEN DELETE"
)
WAYS = {
    "update": "UPDATE inventory.event SET location = 'Mars'",
    "update of a key": "UPDATE inventory.event SET position = position + 1",
    "delete": "DELETE FROM inventory.event",
    "truncate": "TRUNCATE inventory.event",
    "truncate with others": "TRUNCATE inventory.seal, inventory.event CASCADE",
    "on conflict do update": INSERT_AGAIN,
    "merge update": MERGE_UPDATE,
    "merge delete": MERGE_DELETE,
    "update of a seal": "UPDATE inventory.seal SET hash = previous_hash",
    "delete of a seal": "DELETE FROM inventory.seal",
    "truncate of seals": "TRUNCATE inventory.seal",
    "in a cte": "WITH gone AS (DELETE FROM inventory.event RETURNING 1) SELECT * FROM gone",
}


@pytest.fixture
def log(connection: Connection) -> Connection:
    folds.append(connection, "1", [an_event("7", "Created", 0)])
    return connection


@pytest.mark.parametrize("way", WAYS)
def test_the_owner_cannot_rewrite_it(log: Connection, way: str) -> None:
    with pytest.raises(psycopg.errors.RestrictViolation, match="append-only"):
        log.execute(WAYS[way])


@pytest.mark.parametrize("way", WAYS)
def test_triggers_stay_awake_in_a_replica_session(log: Connection, way: str) -> None:
    log.execute("SET session_replication_role = 'replica'")
    with pytest.raises(psycopg.errors.RestrictViolation, match="append-only"):
        log.execute(WAYS[way])


@pytest.mark.parametrize("way", WAYS)
def test_the_application_may_not_even_try(log: Connection, way: str) -> None:
    log.execute("SET ROLE inventory_app")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        log.execute(WAYS[way])


@pytest.mark.parametrize(
    "way",
    [
        "SET session_replication_role = 'replica'",
        "ALTER TABLE inventory.event DISABLE TRIGGER ALL",
        "DROP TRIGGER append_only_rows ON inventory.event",
        "DROP TABLE inventory.event",
        "DELETE FROM inventory.account",
        "CREATE TABLE inventory.mine ()",
    ],
)
def test_the_application_cannot_lift_the_bars(log: Connection, way: str) -> None:
    log.execute("SET ROLE inventory_app")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        log.execute(way)


def test_the_application_can_append_project_and_quarantine(log: Connection) -> None:
    log.execute("SET ROLE inventory_app")
    log.commit()
    quarantine.put(log, [Quarantined("test", "invalid_json", "junk", b"{")])
    quarantine.discard(log, quarantine.open_ids(log), "junk")
    folds.append(log, "1", [an_event("7", "Updated", 5, status="Pending"), an_event("8")])
    folds.append(log, "2", [an_event("9")])
    folds.fold(log, "1")
    folds.append(log, "1", [an_event("7", "Deleted", 9)])
    folds.fold(log, "1")
    assert [row["phone_number_id"] for row in folds.projected(log, "1")[1]] == ["8"]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM inventory.event",
        "SELECT * FROM inventory.contact_center_number",
        "SELECT * FROM inventory.contact_center_number_version",
        "SELECT * FROM inventory.contact_center_number_momentary_version",
        "SELECT * FROM inventory.change",
        "SELECT * FROM inventory.reassignment",
        "SELECT * FROM inventory.provider",
        "SELECT * FROM inventory.freshness",
        "SELECT * FROM inventory.number_as_of(now(), now())",
        "SELECT * FROM inventory.version_as_of(now(), now())",
        "SELECT * FROM inventory.account",
        "SELECT * FROM inventory.seal",
        "SELECT * FROM inventory.projection_checkpoint",
        "SELECT * FROM inventory.reconciliation",
        "SELECT * FROM inventory.discrepancy",
    ],
)
def test_a_reader_sees_the_inventory(log: Connection, query: str) -> None:
    log.execute("SET ROLE inventory_reader")
    log.execute(query)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM inventory.quarantine",
        "SELECT * FROM inventory.api_token",
        "INSERT INTO inventory.event SELECT * FROM inventory.event",
        "DELETE FROM inventory.contact_center_number",
    ],
)
def test_a_reader_sees_no_secrets_and_changes_nothing(log: Connection, query: str) -> None:
    log.execute("SET ROLE inventory_reader")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        log.execute(query)
