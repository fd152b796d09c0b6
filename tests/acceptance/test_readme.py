"""What the README says, done."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
from psycopg import Connection

from inventory import sample
from inventory.settings import Settings
from inventory.simulator import Platform
from tests.conftest import Command
from tests.ringcentral.conftest import far_limits, simulating

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
MAKEFILE = (Path(__file__).parents[2] / "Makefile").read_text(encoding="utf-8")
KEYS = re.findall(r"^\$ (openssl .+)$", README, re.MULTILINE)
COMMANDS = re.findall(r"^\$ inventory (.+)$", README, re.MULTILINE)
QUERIES = re.findall(r"^([^\n]+)\n\n```sql\n(.+?);\n```", README, re.MULTILINE | re.DOTALL)


@pytest.fixture
def filled(inventory: Command, tmp_path: Path) -> Command:
    (tmp_path / "history.ndjson").write_bytes(b"\n".join(sample.demo_history()))
    inventory("event", "ingest", "history.ndjson", INVENTORY_ACCOUNT_ID=sample.DOCUMENTED_ACCOUNT)
    inventory("projection", "run")
    for command in KEYS:
        subprocess.run(shlex.split(command), cwd=tmp_path, check=True)
    return inventory


def test_every_command_in_it_works(filled: Command) -> None:
    assert len(COMMANDS) >= 15
    with simulating(Platform(limits=far_limits())) as simulated:
        simulated.platform.add()
        access: Any = {f"INVENTORY_{k.upper()}": v for k, v in simulated.settings().items()}
        for command in COMMANDS:
            # The tests' server is careless of crashes, which doctor does not let pass.
            exits = 1 if command == "doctor" else 0
            filled(*shlex.split(command), exits=exits, **access)


@pytest.mark.usefixtures("filled")
def test_every_query_in_it_answers(connection: Connection) -> None:
    assert len(QUERIES) >= 10
    connection.execute("SET ROLE inventory_owner")
    empty = []
    for question, query in QUERIES:
        if not connection.execute(query.encode()).fetchall():
            empty.append(question.splitlines()[-1])
    # Before they came nothing was known; and the chain holds.
    assert [question[:20] for question in empty] == ["What did we believe ", "Does the hash chain "]


def test_every_setting_is_in_it() -> None:
    named = set(re.findall(r"^\| `INVENTORY_([A-Z_]+)` \|", README, re.MULTILINE))
    assert named == {name.upper() for name in Settings.model_fields}


def test_its_targets_are_in_the_makefile() -> None:
    for target in re.findall(r"(?:`|\$ )make (\w+)", README):
        assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE), target
