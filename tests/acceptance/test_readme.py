"""What the README says, done."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
from psycopg import Connection

from inventory import access, web
from inventory.cli.listening import served
from inventory.database import Database
from inventory.settings import Settings, load
from inventory.simulator import Platform
from tests.conftest import Command
from tests.ringcentral.conftest import far_limits, simulating

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
MAKEFILE = (Path(__file__).parents[2] / "Makefile").read_text(encoding="utf-8")
KEYS = re.findall(r"^\$ (openssl .+)$", README, re.MULTILINE)
COMMANDS = re.findall(r"^\$ inventory (.+)$", README, re.MULTILINE)
REQUESTS = re.findall(r"^\$ curl (.+)$", README, re.MULTILINE)
QUERIES = re.findall(r"^([^\n]+)\n\n```sql\n(.+?);\n```", README, re.MULTILINE | re.DOTALL)


@pytest.fixture
def filled(filled: Command, tmp_path: Path) -> Command:
    for command in KEYS:
        subprocess.run(shlex.split(command), cwd=tmp_path, check=True)
    return filled


def test_every_command_in_it_works(filled: Command) -> None:
    assert len(COMMANDS) >= 15
    with simulating(Platform(limits=far_limits())) as simulated:
        simulated.platform.add()
        reach: Any = {f"INVENTORY_{k.upper()}": v for k, v in simulated.settings().items()}
        for command in COMMANDS:
            # The tests' server is careless of crashes, which doctor does not let pass.
            exits = 1 if command == "doctor" else 0
            filled(*shlex.split(command), exits=exits, **reach)


@pytest.mark.usefixtures("filled")
def test_every_query_in_it_answers(connection: Connection) -> None:
    assert len(QUERIES) >= 10
    connection.execute("SET ROLE inventory_owner")
    empty = []
    for question, query in QUERIES:
        if not connection.execute(query.encode()).fetchall():
            empty.append(question.splitlines()[-1])
    # Before they came nothing was known; nothing has been reconciled; and the chain holds.
    assert [question[:20] for question in empty] == [
        "What did we believe ",
        "How far can notifica",
        "Does the hash chain ",
    ]


@pytest.mark.usefixtures("filled")
def test_every_request_in_it_is_answered(database: Database) -> None:
    """By the rows they promise: nothing was known in March, and nothing has been reconciled."""
    assert len(REQUESTS) >= 10
    with database.connect() as connection:
        token, _ = access.create(connection, "curl", "read")
    empty = []
    with served(web.application(database, load())) as address:
        for request in REQUESTS:
            *options, url = shlex.split(request.replace("$TOKEN", token))
            assert options[0] == "-s"
            headers = dict(header.split(": ") for header in options[2:])
            headers["Authorization"] = f"Bearer {token}"
            response = httpx.get(url.replace("http://127.0.0.1:8080", address), headers=headers)
            assert response.status_code == 200, (request, response.text)
            if response.text.startswith('{"rows": []'):
                empty.append(url.rpartition("/")[2])
    assert empty == ["numbers?at=2026-03-20&known_at=2026-03-21T12:00:00Z", "reconciliations"]


def test_every_setting_is_in_it() -> None:
    named = set(re.findall(r"^\| `INVENTORY_([A-Z_]+)` \|", README, re.MULTILINE))
    assert named == {name.upper() for name in Settings.model_fields}


def test_its_targets_are_in_the_makefile() -> None:
    for target in re.findall(r"(?:`|\$ )make (\w+)", README):
        assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE), target
