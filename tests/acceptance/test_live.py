"""The live demo: the product beside a simulated RingCentral, and whether they agree in the end."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Command, clean_environment

# Two numbers that both have by the end; then one is moved, one is gone, and one has come, and
# nobody is told.
PLANTED = """
from inventory.cli import live, main

settle = live.Live.settle

def then_change_silently(it, show):
    moved, gone = (it._simulator.call(it.platform.create) for _ in range(2))
    settle(it, show)
    it.platform.change_silently(moved, contactCenterProvider={"id": "99", "name": "Nobody"})
    del it.platform.numbers[str(gone["id"])]
    come = it.platform.add()
    print("planted", moved["id"], gone["id"], come["id"])

live.Live.settle = then_change_silently
main()
"""


@pytest.fixture(scope="module")
def home(public_directory: Callable[[], Path]) -> Path:
    return public_directory() / "home"


def test_in_the_end_both_have_the_same_numbers_and_nothing_is_lost(
    home: Path, tmp_path: Path
) -> None:
    inventory = Command(clean_environment() | {"INVENTORY_HOME": str(home)}, tmp_path)
    shown = inventory("demo", "--live", "--seconds", "3").stdout
    assert re.search(
        r"^Inventory and RingCentral agree, number by number: \d+ in", shown, re.MULTILINE
    )
    counted = {what: int(count) for what, count in re.findall(r"([a-z][a-z, ]*?) {2,}(\d+)", shown)}
    assert counted["changes made"] == counted["told"] > 0
    assert counted["failed"] == counted["dropped"] == 0
    assert counted["appended"] == counted["told"]
    assert counted["duplicates"] == counted["told twice"]
    assert counted["quarantined"] == counted["told broken"]
    assert counted["in doubt"] == counted["lag, in events"] == 0

    export, *proposals = shown.partition("What to try next")[2].splitlines()[1:]
    value = export.removeprefix("export INVENTORY_HOME=")
    assert len(proposals) >= 3
    for proposal in proposals:
        _, *arguments = shlex.split(proposal.removeprefix(f"{sys.executable} -m "))
        assert "Traceback" not in inventory(*arguments, INVENTORY_HOME=value).stderr

    # It does not mix with the sample history.
    sample = inventory("demo").stdout
    assert "383 appended, 25 duplicates, 11 quarantined;" in sample


def test_a_number_in_which_they_differ_is_named_and_fails_it(home: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PLANTED, "demo", "--live", "--seconds", "1"],
        env=clean_environment() | {"INVENTORY_HOME": str(home)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    planted = re.search(r"^planted (\d+) (\d+) (\d+)$", done.stdout, re.MULTILINE)
    assert planted is not None
    moved, gone, come = planted.groups()
    said = done.stderr.splitlines()
    assert said[0].startswith("inventory: expected inventory and RingCentral to agree")
    assert sorted(re.sub(r" \(\+\d+\)", "", line) for line in said[1:]) == sorted(
        [
            f"number {moved}: RingCentral has it with provider 99, inventory has it with provider 1",
            f"number {gone}: RingCentral does not have it, inventory has it with provider 1",
            f"number {come}: RingCentral has it with provider 1, inventory does not have it",
        ]
    )
    assert "agree, number by number" not in done.stdout
