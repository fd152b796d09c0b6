"""Bundles of evidence from strangers: whatever is in one, it is examined, and told to be altered."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory import sample
from inventory.audit import Examined, Question, bundle, examine, layout
from inventory.audit.bundle import NoBundle
from inventory.database import Database
from inventory.ingest import Intake
from inventory.verification import Anchor, Difference
from tests.audit.conftest import gathered
from tests.web.asking import fold

ACCOUNT = sample.DOCUMENTED_ACCOUNT
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


@pytest.fixture(scope="module")
def honest(database_of_module: Database, tmp_path_factory: pytest.TempPathFactory) -> Path:
    with database_of_module.connect() as log:
        intake = Intake("test", account_id=ACCOUNT, future_tolerance=timedelta(minutes=5))
        intake.run(log, [list(sample.history(events=40, numbers=5))], lambda _: None)
        log.commit()
        for (account,) in log.execute("SELECT account_id FROM inventory.account").fetchall():
            fold(log, account)
    path = tmp_path_factory.mktemp("bundle") / "honest"
    return gathered(database_of_module, path, Question(), KEY)


def examined(path: Path) -> list[Difference] | NoBundle:
    anchors = [Anchor(ACCOUNT, 1, b"\0" * 32)]
    try:
        with bundle.opened(path) as given:
            return list(examine(given, Examined(), anchors=anchors))
    except NoBundle as refusal:
        return refusal


def test_an_honest_one_has_but_the_head_that_nobody_noted(honest: Path, tmp_path: Path) -> None:
    (tmp_path / "bundle").write_bytes(honest.read_bytes())
    found = examined(tmp_path / "bundle")
    assert isinstance(found, list)
    assert {difference.what for difference in found} == {"head"}


PLACES = st.integers(0, 200) | st.integers(0, 1 << 20)


@given(damages=st.lists(st.tuples(PLACES, st.binary(max_size=8)), max_size=4), kept=PLACES)
@settings(max_examples=60)
def test_bytes_that_are_damaged_are_found_or_meant_nothing(
    honest: Path, tmp_path: Path, damages: list[tuple[int, bytes]], kept: int
) -> None:
    damaged = bytearray(honest.read_bytes())
    for place, some in damages:
        at = place % len(damaged)
        damaged[at : at + len(some)] = some
    if kept % 5 == 0:
        del damaged[kept % len(damaged) :]
    (tmp_path / "bundle").write_bytes(damaged)
    examined(tmp_path / "bundle")


INTEGERS = st.sampled_from([0, -1, 1, 2**31, 2**62, 2**63 - 1, -(2**63)])
TEXTS = st.sampled_from(
    ["", "0001-01-01T00:00:00.000000Z", "9999-12-31T23:59:59.999999Z", "{", "[" * 100_000]
) | st.text(max_size=9)
VALUES: dict[str, Any] = {
    "integer": INTEGERS,
    "text": TEXTS,
    "instant": st.sampled_from(
        [
            "0001-01-01T00:00:00.000000Z",
            "9999-12-31T23:59:59.999999Z",
            "2026-03-01T00:00:00.000000Z",
        ]
    ),
    "hash": st.binary(min_size=32, max_size=32),
    "hashes": st.integers(0, 3).map(lambda count: b"\1" * 32 * count),
    "bytes": st.binary(max_size=70),
}
CELLS = st.sampled_from(
    [
        (table, column)
        for table in layout.TABLES
        if table not in (layout.SIGNATURE, layout.DATA_DICTIONARY)
        for column in table.columns
    ]
).flatmap(
    lambda cell: st.tuples(st.just(cell[0].name), st.just(cell[1].name), VALUES[cell[1].kind])
)


@given(cell=CELLS, row=st.integers(1, 3))
@settings(max_examples=80)
def test_values_that_are_well_formed_and_not_what_they_were_are_told(
    honest: Path, tmp_path: Path, cell: tuple[str, str, Any], row: int
) -> None:
    path = tmp_path / "bundle"
    path.write_bytes(honest.read_bytes())
    table, column, value = cell
    with closing(sqlite3.connect(path)) as connection, connection:
        before = connection.execute(f"SELECT * FROM {table} ORDER BY rowid").fetchall()
        connection.execute(
            f"UPDATE OR REPLACE {table} SET {column} = ? WHERE rowid = ?", (value, row)
        )
        after = connection.execute(f"SELECT * FROM {table} ORDER BY rowid").fetchall()
    found = examined(path)
    if before != after:
        named = {each.what for each in found} if isinstance(found, list) else {"no bundle"}
        assert named - {"head"}, cell


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TRIGGER t AFTER INSERT ON event BEGIN SELECT load_extension('x'); END",
        "CREATE VIEW evil AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT * FROM n",
        "CREATE TABLE evil (a, b GENERATED ALWAYS AS (zeroblob(1000000000)))",
        "CREATE INDEX evil ON event (randomblob(9))",
        "DROP TABLE manifest",
        "DROP VIEW reassignment",
    ],
)
def test_what_no_bundle_has_is_named_and_not_run(
    honest: Path, tmp_path: Path, statement: str
) -> None:
    path = tmp_path / "bundle"
    path.write_bytes(honest.read_bytes())
    with closing(sqlite3.connect(path)) as connection, connection:
        try:
            connection.execute(statement)
        except sqlite3.OperationalError:
            connection.execute("CREATE INDEX evil ON event (abs(position))")
    found = examined(path)
    assert isinstance(found, NoBundle) or {d.what for d in found} == {"schema"}
