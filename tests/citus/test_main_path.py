"""
The main path on a Citus cluster: what is true on one PostgreSQL is true on several.

The assertions are those of the tests for one, on histories that reveal most.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
import sqlalchemy
from psycopg import Connection, sql

from inventory import distribution, event_log, projector, quarantine, read_model, verification
from inventory.database import Database
from inventory.quarantine import Quarantined
from inventory.read_model.facets import facets
from inventory.reconciliation.run import NOTIFIED
from inventory.verification import Verified
from tests import folds
from tests.conftest import Command
from tests.histories import an_event
from tests.integration import test_as_of, test_projector, test_versions_as_of
from tests.integration.test_append_only import WAYS
from tests.integration.test_versions_as_of import REVEALING, REVEALING_CLOCKS

pytestmark = pytest.mark.citus

NewAccount = Callable[[], str]
CUTS = [3, 9]
# Citus knows no MERGE of mere values into a distributed table, and guards shards against TRUNCATE.
REFUSED = "append-only|permission denied|To MERGE into a distributed table"
REFUSED_ON_A_SHARD = "append-only|because it is a shard of a distributed table"
SHARDS = """
SELECT format('inventory.%%I', relname)
FROM pg_class
WHERE relnamespace = 'inventory'::regnamespace AND relname ~ %s AND reltuples <> 0
ORDER BY relname
"""


@pytest.fixture
def reader(database: Database) -> Iterator[sqlalchemy.Connection]:
    with database.engine.connect() as connection:
        yield connection.execution_options(isolation_level="AUTOCOMMIT")


def test_a_second_time_there_is_nothing_to_do(connection: Connection) -> None:
    assert distribution.distribute(connection) == []
    assert all(distribution.is_distributed(connection, name) for name in distribution.DISTRIBUTED)


def test_the_command_says_so_too(inventory: Command) -> None:
    assert "nothing to do" in inventory("db", "distribute").stderr


def test_a_history_folds_as_the_law_says(connection: Connection, new_account: NewAccount) -> None:
    for test in (
        test_projector.test_any_history_in_any_batches_folds_as_the_law_says,
        test_projector.test_folding_bit_by_bit_ends_where_folding_from_nothing_does,
    ):
        test.hypothesis.inner_test(connection, new_account, REVEALING, CUTS)  # type: ignore[attr-defined]


def test_any_past_is_what_the_law_says_of_it(
    connection: Connection, reader: sqlalchemy.Connection, new_account: NewAccount
) -> None:
    for test in (
        test_as_of.test_any_past_is_the_fold_over_what_had_occurred_and_was_known,
        test_versions_as_of.test_every_read_as_of_two_clocks_is_what_the_law_says_of_the_events_of_both,
    ):
        test.hypothesis.inner_test(  # type: ignore[attr-defined]
            connection, reader, new_account, REVEALING, CUTS, REVEALING_CLOCKS
        )


def test_what_comes_again_is_counted_though_it_was_believed_to_be_new(
    connection: Connection, new_account: NewAccount
) -> None:
    batch = event_log.prepare([an_event("7", account=new_account())])
    with connection.transaction():
        event_log.append(connection, batch, source="test", repeats=False)
    with pytest.raises(event_log.Repeated), connection.transaction():
        event_log.append(connection, batch, source="test", repeats=False)
    with connection.transaction():
        assert event_log.append(connection, batch, source="test").duplicates == 1


def test_a_rebuild_ends_where_the_folds_did_and_the_record_verifies(
    connection: Connection, new_account: NewAccount
) -> None:
    accounts = [new_account() for _ in range(3)]
    for account in accounts:
        folds.append(connection, account, REVEALING)
        folds.fold(connection, account)
    folded = [folds.projected(connection, account) for account in accounts]
    with connection.transaction():
        projector.rebuild(connection)
    assert [folds.projected(connection, account) for account in accounts] == folded
    for table in ("contact_center_number_live", "contact_center_number_version_live"):
        assert distribution.is_distributed(connection, f"inventory.{table}")
    connection.rollback()
    verified = Verified()
    assert list(verification.verify(connection, verified)) == []
    assert verified.events >= len(REVEALING) * len(accounts)
    folds.append(connection, accounts[0], [an_event("1", "Updated", 99, status="Pending")])
    folds.fold(connection, accounts[0])


@pytest.mark.parametrize("way", WAYS)
def test_the_log_cannot_be_rewritten_from_any_node(
    connection: Connection, nodes: list[Database], new_account: NewAccount, way: str
) -> None:
    folds.append(connection, new_account(), [an_event("7"), an_event("8")])
    for node in nodes:
        for role in (None, "inventory_app"):
            with node.connect(autocommit=True) as there:
                if role is not None:
                    there.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
                with pytest.raises(psycopg.Error, match=REFUSED):
                    there.execute(WAYS[way])


@pytest.mark.parametrize(
    "statement", ["UPDATE {} SET account_id = account_id", "DELETE FROM {}", "TRUNCATE {}"]
)
@pytest.mark.parametrize("table", ["event", "seal"])
def test_nor_can_a_shard_of_it_on_its_node(
    connection: Connection,
    nodes: list[Database],
    new_account: NewAccount,
    table: str,
    statement: str,
) -> None:
    folds.append(connection, new_account(), [an_event("7"), an_event("8")])
    refused = 0
    for node in nodes[1:]:
        with node.connect(autocommit=True) as there:
            there.execute("SET citus.show_shards_for_app_name_prefixes = '*'")
            for (shard,) in there.execute(SHARDS, [f"^{table}_[0-9]+$"]).fetchall():
                if there.execute(f"SELECT FROM {shard} LIMIT 1").fetchone() is None:
                    continue
                with pytest.raises(psycopg.Error, match=REFUSED_ON_A_SHARD):
                    there.execute(statement.format(shard))
                refused += 1
    assert refused


def test_the_application_can_do_its_work_and_a_reader_can_look(
    connection: Connection, new_account: NewAccount
) -> None:
    account = new_account()
    connection.execute("SET ROLE inventory_app")
    connection.commit()
    quarantine.put(connection, [Quarantined("test", "invalid_json", "junk", b"{")])
    quarantine.discard(connection, quarantine.open_ids(connection), "junk")
    connection.commit()
    folds.append(connection, account, [an_event("7"), an_event("8")])
    folds.fold(connection, account)
    folds.append(connection, account, [an_event("7", "Deleted", 9)])
    folds.fold(connection, account)
    assert [row["phone_number_id"] for row in folds.projected(connection, account)[1]] == ["8"]
    connection.execute("SET ROLE inventory_reader")
    for name in ("change", "reassignment", "provider", "freshness", "coverage", "number_as_of()"):
        connection.execute(f"SELECT * FROM inventory.{name}")


def test_a_list_in_a_file_is_compared_and_applied(
    inventory: Command, connection: Connection, new_account: NewAccount, tmp_path: Path
) -> None:
    account = new_account()
    folds.append(connection, account, [an_event("7"), an_event("8")])
    folds.fold(connection, account)
    listed = [
        {
            "id": number,
            "phoneNumber": f"+1202555000{number}",
            "usageType": "ContactCenterNumber",
            "status": status,
            "contactCenterProvider": {"id": "1"},
        }
        for number, status in (("7", "Pending"), ("8", "Normal"))
    ]
    file = tmp_path / "list.ndjson"
    file.write_text("".join(json.dumps(row) + "\n" for row in listed), encoding="utf-8")
    now = datetime.now(UTC).isoformat()
    compare = ("reconcile", "--source", str(file), "--account", account, "--at", now)
    planned = inventory(*compare, exits=3).stdout
    assert "Pending" in planned
    inventory(*compare, "--apply")
    folds.fold(connection, account)
    number = folds.projected(connection, account)[1][0]
    assert (number["phone_number_id"], number["status"]) == ("7", "Pending")
    runs = inventory("reconciliation", "list", "--account", account).stdout.splitlines()
    assert [json.loads(run)["appended"] for run in runs] == [1]
    run = str(json.loads(runs[0])["id"])
    assert "different" in inventory("reconciliation", "show", run).stdout
    between = {"account_id": account, "after": 0, "through": 9}
    assert connection.execute(NOTIFIED, between).fetchone() == (2,)


def test_the_pages_figures_are_counted(
    connection: Connection, reader: sqlalchemy.Connection, new_account: NewAccount
) -> None:
    account = new_account()
    folds.append(connection, account, [an_event("7"), an_event("8", status="Pending")])
    folds.fold(connection, account)
    wanted = {"account_id": account, "status": "Pending"}
    total, found = facets(reader, read_model.numbers(), wanted)
    assert total == 1
    by_status = next(facet for facet in found if facet.column == "status")
    assert {count.value: count.rows for count in by_status.counts} == {"Normal": 1, "Pending": 1}
