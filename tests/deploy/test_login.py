"""The login that the composition serves as, on a server of its own, met by its password."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from inventory import embedded
from tests.conftest import CARELESS, clean_environment
from tests.deploy.conftest import DEPLOY
from tests.web.test_webhook import notification

PASSWORD = "it's 42"
BARS = (
    "UPDATE inventory.event SET event_type = 'Deleted'",
    "DELETE FROM inventory.event",
    "TRUNCATE inventory.event",
    "ALTER TABLE inventory.event DISABLE TRIGGER ALL",
    "UPDATE inventory.seal SET hash = ''",
    "CREATE TABLE inventory.aside ()",
    "SET ROLE inventory_owner",
)


class Installed(NamedTuple):
    """A server as the composition makes one."""

    superuser: str
    login: str
    """Addresses of two users."""


@pytest.fixture(scope="module")
def installed(public_directory: Callable[[], Path]) -> Iterator[Installed]:
    directory = public_directory()
    with embedded.running(directory, options=CARELESS) as server:
        assert server.binaries is not None
        parts = conninfo_to_dict(server.url)
        with psycopg.connect(server.url, autocommit=True) as connection:
            ((rules,),) = connection.execute("SHOW hba_file").fetchall()
            kept = Path(rules).read_text(encoding="utf-8")
            ours = "local all inventory_login scram-sha-256\n"
            Path(rules).write_text(ours + kept, encoding="utf-8")
            connection.execute("SELECT pg_reload_conf()")
        (directory / "password").write_text(f"{PASSWORD}\n", encoding="utf-8")
        subprocess.run(
            ["sh", "-c", (DEPLOY / "postgres" / "login.sh").read_text(encoding="utf-8").replace(
                "ROLE inventory LOGIN", "ROLE inventory_login LOGIN"  # the superuser's name here
            )],
            env=clean_environment() | {
                "PATH": f"{server.binaries}{os.pathsep}{os.environ['PATH']}",
                "PGHOST": str(parts["host"]),
                "POSTGRES_USER": str(parts["user"]),
                "POSTGRES_DB": str(parts["dbname"]),
                "APP_PASSWORD_FILE": str(directory / "password"),
            },
            check=True,
        )  # fmt: skip
        login = server.url.replace(f"//{parts['user']}@", "//inventory_login:it%27s%2042@")
        assert login != server.url
        assert run(server.url, "db", "upgrade").returncode == 0
        yield Installed(server.url, login)


def run(url: str, *arguments: str, input: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "inventory", "--database-url", url, *arguments],
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
        input=input,
    )


def verdicts(url: str) -> dict[str, str]:
    said = run(url, "doctor", "--format", "ndjson").stdout
    return {check["check"]: check["verdict"] for check in map(json.loads, said.splitlines())}


def test_it_appends_projects_and_reads(installed: Installed) -> None:
    ingested = run(installed.login, "event", "ingest", "-", input=notification(1).decode())
    assert ingested.stderr.split() == ["appended=1", "duplicates=0", "quarantined=0"]
    assert run(installed.login, "projection", "run").returncode == 0
    assert len(run(installed.login, "number", "list").stdout.splitlines()) == 1


@pytest.mark.parametrize("statement", BARS)
def test_it_cannot_lift_the_bars_of_the_log(installed: Installed, statement: str) -> None:
    with psycopg.connect(installed.login) as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement)


def test_a_wrong_password_is_refused(installed: Installed) -> None:
    assert run(installed.login.replace("42", "43"), "db", "status").returncode == 5


def test_the_doctor_finds_it_right_a_superuser_too_wide_and_sees_what_was_widened(
    installed: Installed,
) -> None:
    sound = verdicts(installed.login)
    checks = ("roles", "app_role", "reader_role", "reader_limits", "public", "user")
    assert {sound[check] for check in checks} == {"ok"}
    assert verdicts(installed.superuser)["user"] == "warning"
    with psycopg.connect(installed.superuser) as connection:
        connection.execute("GRANT UPDATE ON inventory.event TO inventory_app")
    assert verdicts(installed.login)["app_role"] == "failed"
    # Whoever may not grant is told so; the owner's user puts it right.
    refused = run(installed.login, "db", "roles")
    assert refused.returncode == 5
    assert "nothing was granted" in refused.stderr
    assert "inventory_app: " not in refused.stderr
    assert verdicts(installed.login)["app_role"] == "failed"
    assert run(installed.superuser, "db", "roles").returncode == 0
    assert verdicts(installed.login) == sound
