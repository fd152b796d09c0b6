"""A server as others manage it: nobody there is a superuser, and roles are made by who may."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from inventory import embedded, sample
from tests.conftest import CARELESS, Command, clean_environment

LOGINS = ("dba", "serving", "auditor")


class Managed(NamedTuple):
    """A server where `dba` may create roles and databases, and no more."""

    url: str
    """Of the one whom nobody else can be."""
    binaries: Path
    directory: Path

    def url_of(self, user: str, name: str) -> str:
        parts = conninfo_to_dict(self.url)
        return self.url.replace(f"//{parts['user']}@/inventory", f"//{user}@/{name}")

    def as_(self, user: str, name: str) -> Command:
        """The command, as a user of a database."""
        environment = clean_environment() | {"INVENTORY_DATABASE_URL": self.url_of(user, name)}
        return Command(environment, self.directory)

    def executes(self, statement: str, user: str = "dba", name: str = "postgres") -> None:
        with psycopg.connect(self.url_of(user, name), autocommit=True) as connection:
            connection.execute(statement.encode())

    def program(self, name: str, *arguments: str) -> None:
        subprocess.run([self.binaries / name, *arguments], check=True, capture_output=True)


@pytest.fixture
def managed(public_directory: Callable[[], Path], tmp_path: Path) -> Iterator[Managed]:
    bindir = os.environ.get("INVENTORY_TEST_PG_BINDIR")
    place = Path(bindir) if bindir else None
    with embedded.running(public_directory(), bindir=place, options=CARELESS) as server:
        assert server.binaries is not None
        with psycopg.connect(server.url, autocommit=True) as connection:
            ((rules,),) = connection.execute("SHOW hba_file").fetchall()
            kept = Path(rules).read_text(encoding="utf-8")
            ours = "".join(f"local all {login} trust\n" for login in LOGINS)
            Path(rules).write_text(ours + kept, encoding="utf-8")
            connection.execute("SELECT pg_reload_conf()")
            connection.execute("CREATE ROLE dba LOGIN CREATEROLE CREATEDB")
        managed = Managed(server.url, server.binaries, tmp_path)
        managed.executes("CREATE DATABASE ours")
        yield managed


def test_who_may_create_roles_installs_moves_and_lets_others_look(managed: Managed) -> None:
    dba = managed.as_("dba", "ours")
    dba("db", "upgrade")
    managed.executes("CREATE ROLE serving LOGIN IN ROLE inventory_app, inventory_reader")
    managed.executes("CREATE ROLE auditor LOGIN IN ROLE inventory_reader")

    serving = managed.as_("serving", "ours")
    history = b"\n".join(sample.demo_history())
    serving("--account-id", sample.DOCUMENTED_ACCOUNT, "event", "ingest", "-", input=history)
    serving("projection", "run")
    with psycopg.connect(managed.url_of("serving", "ours")) as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("ALTER TABLE inventory.event DISABLE TRIGGER ALL")
    dba("projection", "rebuild")

    auditor = managed.as_("auditor", "ours")
    auditor("event", "head", "-o", "heads.ndjson")
    auditor("verify", "--head", "heads.ndjson")
    auditor("audit", "report", sample.DEMO_NUMBER, "--format", "sqlite", "-o", "evidence.sqlite")
    auditor("audit", "verify", "evidence.sqlite", "--head", "heads.ndjson")

    dump = str(managed.directory / "inventory.dump")
    ours = managed.url_of("dba", "ours")
    managed.program("pg_dump", "--format=custom", f"--file={dump}", ours)
    managed.executes("CREATE DATABASE theirs")
    dba = managed.as_("dba", "theirs")
    dba("db", "roles")
    theirs = managed.url_of("dba", "theirs")
    managed.program("pg_restore", "--exit-on-error", f"--dbname={theirs}", dump)
    assert "inventory_reader: reads" in dba("db", "roles").stderr
    managed.as_("auditor", "theirs")("verify", "--head", "heads.ndjson")
    managed.as_("serving", "theirs")("event", "ingest", "-", input=history)
