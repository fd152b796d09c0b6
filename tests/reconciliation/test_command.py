from __future__ import annotations

import csv
import io
import json
import os
import pty
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from inventory.cli.reconcile import SCREENFUL
from tests.conftest import Command, clean_environment
from tests.reconciliation.conftest import Reconciling

TEN = 10


@pytest.fixture
def reconcile(it: Reconciling, inventory: Command) -> Any:
    """`inventory reconcile`, with access to the simulated account."""
    variables: Any = {f"INVENTORY_{k.upper()}": v for k, v in it.simulated.settings().items()}

    def run(*arguments: str, exits: int = 0, **more: str) -> Any:
        return inventory("reconcile", *arguments, exits=exits, **(variables | more))

    for _ in range(TEN):
        it.platform.add()
    return run


def test_a_plan_is_printed_in_words_and_nothing_is_written(it: Reconciling, reconcile: Any) -> None:
    done = reconcile("--format", "table", exits=3)
    assert done.stdout.count("added") == TEN
    assert "complete: 10 rows from ringcentral, 0 numbers here, 2 requests" in done.stderr
    assert "added=10 different=0 departed=0 deleted=0" in done.stderr
    assert "nothing was written" in done.stderr
    for table in ("event", "reconciliation", "discrepancy"):
        assert it.value(f"SELECT count(*) FROM inventory.{table}") == 0
    assert {method for method, path in it.tampering.asked if "oauth" not in path} == {"GET"}


def test_applied_the_inventory_is_as_the_account_and_there_is_no_drift(
    it: Reconciling, reconcile: Any, inventory: Command
) -> None:
    done = reconcile("--apply")
    assert "run=1 appended=10 left_alone=0" in done.stderr
    assert it.held() == it.there()
    done = reconcile()
    assert done.stdout == ""
    number = it.platform.contact_center()[0]
    number["status"] = "Pending"
    (row,) = map(json.loads, reconcile(exits=3).stdout.splitlines())
    assert row["differences"] == {"status": ["Normal", "Pending"]}
    assert row["class"] == "silent change"
    table = reconcile("--format", "table", exits=3).stdout
    assert "status: Normal → Pending" in table
    (line,) = csv.DictReader(io.StringIO(reconcile("--format", "csv", exits=3).stdout))
    assert json.loads(line["differences"]) == row["differences"]
    assert line["phone_number"] == number["phoneNumber"]
    reconcile("--number", str(int(str(number["id"])) + 1))
    reconcile("--provider", "7")
    reconcile("--number", number["phoneNumber"], "--apply")
    reconcile()
    inventory("verify")


def test_a_guard_is_named_and_lifted_by_exactly_what_it_says(
    it: Reconciling, reconcile: Any
) -> None:
    reconcile("--apply")
    it.platform.numbers.clear()
    done = reconcile(exits=4)
    assert "guard zero_rows" in done.stderr
    assert "--confirm-absent=10" in done.stderr
    reconcile("--apply", exits=4)
    reconcile("--apply", "--confirm-absent", "9", "--reason", "moved", exits=4)
    reconcile("--apply", "--confirm-absent", "10", exits=2)
    assert len(it.held()) == TEN
    reconcile("--apply", "--confirm-absent", "10", "--reason", "moved")
    assert it.held() == set()


def test_without_the_permission_or_with_another_account_it_is_denied(
    it: Reconciling, reconcile: Any
) -> None:
    assert "400000001" in reconcile("--account", "7", exits=5).stderr
    reconcile("--account", "400000001", "--apply")
    it.platform.faults.unprivileged = True
    for mode in ([], ["--apply"]):
        assert "ReadCompanyPhoneNumbers" in reconcile(*mode, exits=5).stderr
    reconcile(INVENTORY_RINGCENTRAL_JWT="another", exits=5)
    assert len(it.held()) == TEN


def test_what_cannot_be_read_is_no_drift(
    it: Reconciling, reconcile: Any, inventory: Command
) -> None:
    reconcile("--apply")
    it.platform.contact_center()[0]["status"] = "Pending"
    reconcile(INVENTORY_RINGCENTRAL_URL="http://127.0.0.1:9", exits=75)
    inventory("reconcile", exits=2)
    it.lists(lambda _page, body: {**body, "paging": {"totalElements": 11}})
    assert "expected 11 numbers, found 10" in reconcile(exits=3).stderr
    assert "incomplete" in reconcile("--apply", exits=75).stderr
    reconcile(exits=75)


def test_while_one_runs_another_says_so(it: Reconciling, reconcile: Any) -> None:
    with it.database.connect() as other:
        other.execute(
            "SELECT pg_advisory_lock(hashtextextended(%s, 0))",
            [f"inventory reconciliation {it.account}"],
        )
        assert "expected no other reconciliation" in reconcile("--apply", exits=75).stderr
        reconcile(exits=3)  # a plan is no run


def test_a_login_that_may_only_read_is_enough_for_a_plan(it: Reconciling, reconcile: Any) -> None:
    database = it.value("SELECT quote_ident(current_database())")
    it.connection.execute(
        f"ALTER ROLE inventory IN DATABASE {database} SET role TO inventory_reader"
    )
    assert reconcile(exits=3).stdout.count("added") == TEN
    reconcile("--apply", exits=5)
    assert it.events() == 0


def test_a_terminal_is_not_flooded(it: Reconciling, tmp_path: Path) -> None:
    for _ in range(SCREENFUL + 7):
        it.platform.add()
    variables = {f"INVENTORY_{k.upper()}": v for k, v in it.simulated.settings().items()}
    terminal, end = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "inventory", "reconcile", "--source", "ringcentral"],
        env=clean_environment() | variables | {"INVENTORY_DATABASE_URL": it.database.url},
        cwd=tmp_path,
        stdout=end,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(end)
    shown = b""
    with suppress(OSError):  # the other end is closed
        while chunk := os.read(terminal, 1 << 16):
            shown += chunk
    _, talk = process.communicate(timeout=60)
    os.close(terminal)
    assert process.returncode == 3
    assert shown.count(b"added") == SCREENFUL
    assert "7 more" in talk
