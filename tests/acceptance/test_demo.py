"""The demo: a stranger's first minute."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.conftest import Command, clean_environment


def test_the_demo_runs_twice_and_what_it_proposes_works(
    public_directory: Callable[[], Path], tmp_path: Path
) -> None:
    home = public_directory() / "home"
    environment = clean_environment() | {"INVENTORY_HOME": str(home)}
    demo = Command(environment, tmp_path)

    shown = demo("demo").stdout
    assert "383 appended, 25 duplicates, 11 quarantined; 383 events folded" in shown
    assert "number 987654321 of account 37439510: in Contact Center" in shown
    assert "moved from provider 12345 (ProviderName) to provider 7 (Five9)" in shown

    again = demo("demo").stdout
    assert "0 appended, 408 duplicates, 11 quarantined; 0 events folded" in again
    assert _tables(again) == _tables(shown)

    export, *proposals = shown.partition("What to try next")[2].splitlines()[1:]
    variable, _, value = export.removeprefix("export ").partition("=")
    assert len(proposals) >= 5
    for proposal in proposals:
        program, *arguments = shlex.split(proposal.removeprefix(f"{sys.executable} -m "))
        assert program == "inventory"
        done = subprocess.run(
            [sys.executable, "-m", "inventory", *arguments],
            env=environment | {variable: value},
            cwd=tmp_path,
            capture_output=True,
            check=True,
        )
        assert done.stdout, proposal


def _tables(shown: str) -> str:
    found = re.search(r"The current inventory.*?One number", shown, re.DOTALL)
    assert found is not None
    return found[0]
