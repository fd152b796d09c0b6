"""`inventory doctor` as an operator runs it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.conftest import Command, clean_environment


def findings(text: str) -> dict[str, dict[str, Any]]:
    return {row["check"]: row for row in json.loads(text)}


def test_what_has_failed_is_said_in_words_and_by_the_exit_code(inventory: Command) -> None:
    done = inventory("doctor", "--format", "json", exits=1)  # the tests' server is careless
    found = findings(done.stdout)
    assert list(found["durability"]) == ["check", "verdict", "found", "mend"]
    assert found["durability"]["verdict"] == "failed"
    assert found["append_only"] == {
        "check": "append_only",
        "verdict": "ok",
        "found": "UPDATE, DELETE and TRUNCATE are refused on inventory.event, inventory.seal",
        "mend": None,
    }
    counted = [row["verdict"] for row in found.values()]
    assert done.stderr.splitlines()[-1] == (
        f"ok={counted.count('ok')} warnings={counted.count('warning')} failed=1 "
        f"skipped={counted.count('skipped')}"
    )
    lines = inventory("doctor", exits=1).stdout.splitlines()
    assert [json.loads(line)["check"] for line in lines] == list(found)
    table = inventory("doctor", "--format", "table", exits=1).stdout
    assert "fsync is off" in table
    assert f"({len(found)} rows)" in table


def test_where_nothing_has_failed_the_exit_code_is_0(
    public_directory: Callable[[], Path], tmp_path: Path
) -> None:
    home = public_directory() / "home"
    command = Command(clean_environment() | {"INVENTORY_HOME": str(home)}, tmp_path)
    none = findings(command("doctor", "--format", "json").stdout)
    assert none["database"]["verdict"] == "skipped"
    assert not home.exists()
    command("event", "ingest", "-", input=b"{")
    found = findings(command("doctor", "--format", "json").stdout)
    assert {row["verdict"] for row in found.values()} == {"ok", "warning", "skipped"}
    assert found["quarantine"]["verdict"] == "warning"


def test_whatever_is_wrong_is_a_finding_and_no_traceback(inventory: Command) -> None:
    for wrong in (
        {"INVENTORY_HOEM": "/x"},
        {"INVENTORY_DATABASE_URL": "postgresql://us:hunter2@127.0.0.1:1/none"},
        {"INVENTORY_DATABASE_URL": "not an address"},
        {"INVENTORY_WEBHOOK_URL": "https://[hunter2"},
        {"INVENTORY_RINGCENTRAL_JWT": "hunter2"},
    ):
        variables: Any = wrong
        done = inventory("doctor", "--format", "json", exits=1, **variables)
        assert "Traceback" not in done.stderr
        assert "hunter2" not in done.stdout + done.stderr
        assert len(findings(done.stdout)) > 20
