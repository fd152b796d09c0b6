"""One real PostgreSQL for the whole run, thrown away after it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from psycopg import Connection, sql

from inventory import embedded
from inventory.database import Database

settings.register_profile(
    "here",
    deadline=None,  # a database has its moods
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    print_blob=True,
)
settings.load_profile("here")

# A shell's background jobs ignore it, and so would all that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A crash of the machine may lose a test's data; a lock that is never let go fails its test.
CARELESS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "lock_timeout": "30s",
}

_serial = count(1)


@pytest.fixture(scope="session")
def public_directory() -> Iterator[Callable[[], Path]]:
    """Makes directories that other users can pass, which pytest's own cannot be."""
    made: list[Path] = []

    def make() -> Path:
        path = Path(tempfile.mkdtemp(prefix="inventory-"))
        path.chmod(0o711)
        made.append(path)
        return path

    yield make
    for path in made:
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def server(public_directory: Callable[[], Path]) -> Iterator[embedded.Running]:
    bindir = os.environ.get("INVENTORY_TEST_PG_BINDIR")
    with embedded.running(
        public_directory(), bindir=Path(bindir) if bindir else None, options=CARELESS
    ) as running:
        yield running


@pytest.fixture(scope="session")
def _template(server: embedded.Running) -> str:
    """Name of a database with an empty schema, for others to be copied from."""
    name = "template_inventory"
    _administer(server, "CREATE DATABASE {}", name)
    Database(_url(server, name), server.binaries).upgrade()
    return name


@pytest.fixture
def empty_database(server: embedded.Running) -> Iterator[Database]:
    """A database without the schema."""
    name = f"test_{next(_serial)}"
    _administer(server, "CREATE DATABASE {}", name)
    yield Database(_url(server, name), None)
    _administer(server, "DROP DATABASE {} WITH (FORCE)", name)


@pytest.fixture
def database(server: embedded.Running, _template: str) -> Iterator[Database]:
    """A database of the test's own, migrated."""
    name = f"test_{next(_serial)}"
    _administer(server, "CREATE DATABASE {} TEMPLATE {}", name, _template)
    yield Database(_url(server, name), None)
    _administer(server, "DROP DATABASE {} WITH (FORCE)", name)


@pytest.fixture(scope="module")
def database_of_module(server: embedded.Running, _template: str) -> Iterator[Database]:
    """A database of the module's own, migrated, for tests that keep to accounts of their own."""
    name = f"test_{next(_serial)}"
    _administer(server, "CREATE DATABASE {} TEMPLATE {}", name, _template)
    yield Database(_url(server, name), None)
    _administer(server, "DROP DATABASE {} WITH (FORCE)", name)


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    with database.connect() as connection:
        yield connection


@pytest.fixture(scope="session")
def shared_database(server: embedded.Running, _template: str) -> Database:
    """A database for tests that keep to accounts of their own."""
    _administer(server, "CREATE DATABASE {} TEMPLATE {}", "shared", _template)
    return Database(_url(server, "shared"), None)


@pytest.fixture(scope="session")
def lasting_database(server: embedded.Running, _template: str) -> Callable[[], Database]:
    """Makes migrated databases that many tests look at and none changes."""

    def make() -> Database:
        name = f"lasting_{next(_serial)}"
        _administer(server, "CREATE DATABASE {} TEMPLATE {}", name, _template)
        return Database(_url(server, name), None)

    return make


@pytest.fixture
def new_account() -> Callable[[], str]:
    """Makes account ids that nobody else uses."""
    return lambda: str(600000000 + next(_serial))


class Command:
    """The `inventory` command, run as a stranger would run it."""

    def __init__(self, environment: dict[str, str], cwd: Path) -> None:
        self._environment = environment
        self._cwd = cwd

    def __call__(
        self, *arguments: str, input: bytes = b"", exits: int = 0, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "inventory", *arguments],
            input=input,
            capture_output=True,
            env=self._environment | variables,
            cwd=self._cwd,
            timeout=120,
            check=False,
        )
        said = subprocess.CompletedProcess(
            done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
        )
        assert said.returncode == exits, (arguments, said.returncode, said.stdout, said.stderr)
        return said


def clean_environment() -> dict[str, str]:
    """Ours, less every setting."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("INVENTORY_", "PG"))}


@pytest.fixture
def inventory(database: Database, tmp_path: Path) -> Command:
    """The command, on the test's database."""
    return Command(clean_environment() | {"INVENTORY_DATABASE_URL": database.url}, tmp_path)


def _url(server: embedded.Running, name: str) -> str:
    return server.url.replace("@/inventory?", f"@/{name}?")


def _administer(server: embedded.Running, statement: str, *names: str) -> None:
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))
