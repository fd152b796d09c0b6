"""What the pages have typed, typed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from inventory import audit, embedded, verification, web
from inventory.audit import Question, bundle
from inventory.cli.listening import served
from inventory.database import Database
from inventory.settings import load
from inventory.simulator import Platform
from inventory.verification import Verified
from tests.acceptance.conftest import take_in_the_demo
from tests.conftest import Command, clean_environment
from tests.docs.reading import read, sections
from tests.docs.shell import Shell
from tests.ringcentral.conftest import far_limits, simulating


@pytest.fixture
def filled(database: Database, tmp_path: Path) -> Database:
    """A database with the demo's history, and its file where commands are typed."""
    environment = clean_environment() | {"INVENTORY_DATABASE_URL": database.url}
    take_in_the_demo(Command(environment, tmp_path), tmp_path)
    return database


@contextmanager
def a_site(database: Database, platform: Platform) -> Iterator[dict[str, str]]:
    """A receiver, and a RingCentral that reaches it; the settings of whoever runs it."""
    receiver = web.application(database, load(webhook_token="new old"))
    with simulating(platform) as simulated, served(receiver) as address:
        variables = {f"INVENTORY_{key.upper()}": it for key, it in simulated.settings().items()}
        yield variables | {
            "INVENTORY_DATABASE_URL": database.url,
            "INVENTORY_WEBHOOK_URL": f"{address}/webhooks/ringcentral",
            "INVENTORY_WEBHOOK_TOKEN": "new old",
        }


def test_the_handbook_can_be_followed(
    filled: Database, empty_database: Database, server: embedded.Running, tmp_path: Path
) -> None:
    platform = Platform(limits=far_limits())
    leaving = {"id": "7", "name": "Five9"}
    numbers = [platform.add(contactCenterProvider=leaving) for _ in range(7)]
    for _ in range(13):
        platform.add()
    lines = 0
    with a_site(filled, platform) as variables:
        variables["NEW_DATABASE_URL"] = empty_database.url
        # The tests' server is careless of crashes, which doctor does not let pass.
        careless = {"inventory doctor": 1}
        shell = Shell(tmp_path, server.binaries, variables, careless)
        for heading, body in sections(read("docs/operations.md")):
            if heading == "When a guard refuses":
                for number in numbers:
                    del platform.numbers[str(number["id"])]
            lines += shell.follow(body)
    assert lines >= 30
    (subscription,) = platform.subscriptions.values()
    assert subscription.verification_token == "new"
    with filled.connect() as connection:
        query = "SELECT count(*) FROM inventory.contact_center_number WHERE account_id = %s"
        assert connection.execute(query, [platform.account_id]).fetchall() == [(13,)]


def test_the_auditors_guide_can_be_followed(
    filled: Database, server: embedded.Running, tmp_path: Path
) -> None:
    variables = {"INVENTORY_DATABASE_URL": filled.url}
    shell = Shell(tmp_path, server.binaries, variables)
    assert shell.follow(read("docs/auditing.md")) >= 15


def test_an_auditor_needs_no_more_than_to_read(lived: Database, tmp_path: Path) -> None:
    reading = lived.acting_as("inventory_reader")
    verified = Verified()
    with reading.connect() as connection:
        (role,) = connection.execute("SELECT current_user").fetchall()
        connection.commit()
        assert list(verification.verify(connection, verified)) == []
    assert role == ("inventory_reader",)
    assert verified.events > 200
    path = tmp_path / "evidence.sqlite"
    with reading.engine.connect() as connection, bundle.created(path) as made:
        connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        assert audit.gather(connection, Question("+12024999741"), made).events >= 6


def test_what_the_cookbook_exports_is_there(
    filled: Database, server: embedded.Running, tmp_path: Path
) -> None:
    variables = {"INVENTORY_DATABASE_URL": filled.url}
    assert Shell(tmp_path, server.binaries, variables).follow(read("docs/cookbook.md")) == 4
    for name in ("numbers.csv", "april.ndjson", "events.csv"):
        assert len((tmp_path / name).read_text(encoding="utf-8").splitlines()) > 20


def test_a_page_that_promises_something_else_would_be_seen(
    database: Database, server: embedded.Running, tmp_path: Path
) -> None:
    shell = Shell(tmp_path, server.binaries, {"INVENTORY_DATABASE_URL": database.url})
    shell.follow("```console\n$ false  # exits with 1: so it is\n$ export A=b\n$ [ $A = b ]\n```\n")
    for wrong in ("false", "true  # exits with 3", "inventory nothing", "echo $NOT_GIVEN"):
        with pytest.raises(AssertionError, match=r"line 0|unbound"):
            shell.follow(f"```console\n$ {wrong}\n```\n")
