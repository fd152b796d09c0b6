"""The log in partitions, as docs/growth.md makes them of a table that is there already."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import Connection

from inventory import archive, migration, verification
from inventory.database import Database
from inventory.doctor.append_only import judge_guards, read_guards
from inventory.verification import Verified
from tests import folds
from tests.histories import START, an_event
from tests.integration.test_append_only import WAYS

GUIDE = (Path(__file__).parents[2] / "docs" / "growth.md").read_text(encoding="utf-8")
HERE, NEW = "37439510", "1"
FILE = "SELECT pg_relation_filenode(%s::regclass)"
PLACES = "SELECT account_id, tableoid::regclass::text FROM inventory.event ORDER BY 1, position"


@pytest.fixture
def log(database: Database) -> Iterator[Connection]:
    """A log of which two accounts are in the first partition, and one is in that of the rest."""
    section = GUIDE.partition("## Into partitions")[2]
    before, then = re.findall(r"```sql\n(.+?)```", section, re.DOTALL)
    with database.connect(autocommit=True) as connection:
        for account in (HERE, "400131021"):
            folds.append(connection, account, [an_event("7", "Created", 0)])
            folds.fold(connection, account)
        file = connection.execute(FILE, ["inventory.event"]).fetchone()
        indexes = _indexes(connection, "inventory.event")
        connection.execute(before)
        connection.execute(then)
        with database.engine.begin() as granting:
            assert migration.grant_roles(granting)
        assert connection.execute(FILE, ["inventory.event_first"]).fetchone() == file
        assert _indexes(connection, "inventory.event_first") == indexes
        folds.append(connection, NEW, [an_event("7", "Created", 0), an_event("8", "Created", 1)])
        folds.fold(connection, NEW)
        yield connection


def _indexes(connection: Connection, table: str) -> set[int]:
    """The files of the table's indexes: the same as long as none was made anew."""
    query = "SELECT pg_relation_filenode(indexrelid) FROM pg_index WHERE indrelid = %s::regclass"
    return {file for (file,) in connection.execute(query, [table])}


def test_the_table_becomes_a_partition_and_no_row_moves(log: Connection) -> None:
    assert log.execute(PLACES).fetchall() == [
        (NEW, "inventory.event_rest"),
        (NEW, "inventory.event_rest"),
        (HERE, "inventory.event_first"),
        ("400131021", "inventory.event_first"),
    ]


def test_everything_goes_on(log: Connection, tmp_path: Path) -> None:
    log.execute("SET ROLE inventory_app")
    for account in (HERE, NEW):
        folds.append(log, account, [an_event("7", "Updated", 5, status="Pending")])
        folds.fold(log, account)
    log.execute("RESET ROLE")
    assert list(verification.verify(log, Verified())) == []
    assert log.execute("SELECT sum(lag_events) FROM inventory.freshness").fetchone() == (0,)
    log.execute("SET ROLE inventory_reader")
    found = log.execute("SELECT count(*) FROM inventory.number_as_of(%s)", [START]).fetchone()
    assert found == (3,)
    log.execute("RESET ROLE")
    twice = an_event("9", "Created", 6)
    folds.append(log, NEW, [twice])
    folds.append(log, NEW, [twice])
    assert log.execute(
        "SELECT position FROM inventory.account WHERE account_id = '1'"
    ).fetchone() == (4,)
    archive.export(log, HERE, tmp_path / "old", through=1)
    assert archive.detach(log, tmp_path / "old").kept == 1


@pytest.mark.parametrize("role", ["owner", "replica", "application"])
@pytest.mark.parametrize("table", ["event", "event_first", "event_rest"])
def test_no_partition_can_be_rewritten(log: Connection, table: str, role: str) -> None:
    refused: type[psycopg.Error] = psycopg.errors.RestrictViolation
    if role == "application":
        log.execute("SET ROLE inventory_app")
        refused = psycopg.errors.InsufficientPrivilege
    if role == "replica":
        log.execute("SET session_replication_role = 'replica'")
    for name, way in WAYS.items():
        if "seal" not in name:
            with pytest.raises(refused):
                log.execute(way.replace("inventory.event", f"inventory.{table}").encode())


def test_doctor_finds_every_partition_guarded(log: Connection) -> None:
    judged = judge_guards(read_guards(log))
    assert judged.verdict == "ok", judged
    assert "event_rest" in judged.found
