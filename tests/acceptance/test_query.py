"""`inventory query`: SQL from a stranger, who gets rows and can change nothing."""

from __future__ import annotations

import csv
import json
from io import StringIO
from pathlib import Path

import pytest

from inventory.cli.query import NoAnswerInTime, query
from inventory.cli.session import Session
from inventory.database import Database
from tests.conftest import Command

VALUES = """
SELECT 1 AS one, 1 AS one, 2.50 AS amount, 3::numeric AS whole, 'NaN'::float AS none,
    interval '90 minutes' AS lasted, ARRAY[date '2026-01-01'] AS days, int4range(1, 3) AS places,
    '{"a": [1]}'::jsonb AS held, true AS so, NULL AS nothing, '\\x00ff'::bytea AS raw,
    timestamptz '2026-01-01 01:00+01' AS instant
"""


def test_rows_are_json_whose_keys_are_the_columns(inventory: Command) -> None:
    (line,) = inventory("query", VALUES).stdout.splitlines()
    assert json.loads(line) == {
        "one": 1,
        "one_2": 1,
        "amount": 2.5,
        "whole": 3,
        "none": "nan",
        "lasted": "01:30:00",
        "days": ["2026-01-01"],
        "places": "[1,3)",
        "held": {"a": [1]},
        "so": True,
        "nothing": None,
        "raw": "00ff",
        "instant": "2026-01-01T00:00:00Z",
    }


def test_a_query_that_finds_nothing_still_says_its_columns(inventory: Command) -> None:
    out = inventory("query", "SELECT phone_number FROM contact_center_number", "--format", "csv")
    assert list(csv.reader(StringIO(out.stdout))) == [["phone_number"]]


def test_a_statement_may_come_from_standard_input(inventory: Command) -> None:
    out = inventory("query", "-", "--format", "csv", input=b"SELECT true AS so,\n 'a,b' AS it;\n")
    assert list(csv.reader(StringIO(out.stdout))) == [["so", "it"], ["true", "a,b"]]


def test_a_statement_without_rows_says_what_it_did(inventory: Command) -> None:
    done = inventory("query", "SET application_name = 'mine'")
    assert (done.stdout, done.stderr) == ("", "SET\n")


@pytest.mark.parametrize(
    ("statement", "said", "exits"),
    [
        ("DELETE FROM contact_center_number", "read-only transaction", 1),
        ("CREATE TABLE public.mine (it text)", "read-only transaction", 1),
        ("SELECT * FROM api_token", "permission denied", 5),
        ("SELECT 1; DELETE FROM event", "multiple commands", 1),
        ("SELECT\n  wrong", 'column "wrong" does not exist\nLINE 2:   wrong', 1),
        ("COPY event TO STDOUT", "gives rows", 2),
        (" ", "found none", 2),
    ],
)
def test_what_a_reader_may_not_is_refused(
    inventory: Command, statement: str, said: str, exits: int
) -> None:
    assert said in inventory("query", statement, exits=exits).stderr


def test_what_takes_too_long_is_ended(
    inventory: Command, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = inventory("query", "SHOW statement_timeout").stdout
    assert json.loads(shown) == {"statement_timeout": "30s"}
    monkeypatch.setattr("inventory.database.READ_WITHIN", "10ms")
    session = Session({"database_url": database.url})
    with pytest.raises(NoAnswerInTime, match="expected an answer within 30s"):
        query.main(["SELECT pg_sleep(60)"], obj=session, standalone_mode=False)


def test_a_wrong_statement_leaves_a_file_as_it_was(inventory: Command, tmp_path: Path) -> None:
    kept = tmp_path / "kept.csv"
    kept.write_text("before")
    inventory("query", "SELECT wrong", "-o", str(kept), exits=1)
    assert kept.read_text() == "before"
