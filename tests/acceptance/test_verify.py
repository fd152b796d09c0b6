"""`inventory verify` and `inventory event head`, as an auditor uses them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from psycopg import Connection

from inventory import sample
from tests.conftest import Command

TAMPER = """
ALTER TABLE inventory.event DISABLE TRIGGER ALL;
UPDATE inventory.event SET status = 'Mars' WHERE position <= 12;
"""


@pytest.fixture
def filled(inventory: Command, tmp_path: Path) -> Command:
    """The command, on a database that holds the demo's history."""
    (tmp_path / "history.ndjson").write_bytes(b"\n".join(sample.demo_history()))
    inventory("event", "ingest", "history.ndjson", INVENTORY_ACCOUNT_ID=sample.DOCUMENTED_ACCOUNT)
    inventory("projection", "run")
    return inventory


def test_an_honest_record_differs_nowhere(filled: Command, tmp_path: Path) -> None:
    done = filled("verify")
    assert done.stdout == ""
    assert re.search(
        r"verified accounts=3 events=\d{3} seals=3 differences=0, [\d,]+ events/s", done.stderr
    )
    filled("event", "head", "-o", "heads.ndjson")
    (tmp_path / "heads.json").write_text(filled("event", "head", "--format", "json").stdout)
    for file in ("heads.ndjson", "heads.json"):
        assert filled("verify", "--head", file).stdout == ""
    heads = [json.loads(line) for line in (tmp_path / "heads.ndjson").read_text().splitlines()]
    assert [list(head) for head in heads] == [["account_id", "position", "head_hash", "at"]] * 3
    one = filled("event", "head", "--account", sample.DOCUMENTED_ACCOUNT).stdout
    assert [json.loads(one)["account_id"]] == [sample.DOCUMENTED_ACCOUNT]


def test_what_differs_is_named_up_to_a_limit_and_the_rest_counted(
    filled: Command, connection: Connection
) -> None:
    connection.execute(TAMPER)
    connection.commit()
    done = filled("verify", "--limit", "5", exits=3)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rows) == 5
    assert list(rows[0]) == [
        *("account_id", "position", "phone_number_id", "what", "expected", "found")
    ]
    assert {(row["what"], row["found"]) for row in rows} == {("event.status", "Mars")}
    rest = re.search(r"and (\d+) more differences; --limit names more", done.stderr)
    total = re.search(r"differences=(\d+)", done.stderr)
    assert rest is not None
    assert total is not None
    assert int(total[1]) == int(rest[1]) + 5 > 36
    everything = filled("verify", "--format", "csv", exits=3).stdout.splitlines()
    assert len(everything) == int(total[1]) + 1
    account = filled("verify", "--account", sample.DOCUMENTED_ACCOUNT, "--format", "table", exits=3)
    assert "Mars" in account.stdout
    assert "400131021" not in account.stdout


def test_a_head_that_is_not_on_the_chain_is_named(filled: Command, tmp_path: Path) -> None:
    (head, *_) = filled("event", "head").stdout.splitlines()
    (tmp_path / "forged.ndjson").write_text(json.dumps(json.loads(head) | {"head_hash": "0" * 64}))
    done = filled("verify", "--head", "forged.ndjson", exits=3)
    row = json.loads(done.stdout)
    assert (row["what"], row["expected"]) == ("head", "0" * 64)
    assert row["found"] == json.loads(head)["head_hash"]


def test_what_cannot_be_verified_is_an_error_of_one_line(filled: Command, tmp_path: Path) -> None:
    assert "got '5'" in filled("verify", "--account", "5", exits=1).stderr
    (tmp_path / "heads.csv").write_text(filled("event", "head", "--format", "csv").stdout)
    done = filled("verify", "--head", "heads.csv", exits=1)
    assert "expected heads as `inventory event head` writes them" in done.stderr
    assert "Traceback" not in done.stderr
    filled("verify", "--head", "nowhere", exits=2)
