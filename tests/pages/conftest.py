"""Inventories to look at, and somebody to look."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import httpx
import pytest

from inventory import settings, web
from inventory.cli.listening import served
from inventory.database import Database
from tests.pages import synthetic

Visitor = Callable[..., httpx.Client]
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture(scope="session")
def some(lasting_database: Callable[[], Database]) -> Database:
    """Three pages of numbers, and one that is strange."""
    database = lasting_database()
    synthetic.fill(database, 150)
    synthetic.add_strange(database)
    return database


@pytest.fixture(scope="session")
def some_client(some: Database) -> Iterator[httpx.Client]:
    """A browser, less what it draws, that looks at them."""
    with visiting(some) as client:
        yield client


@pytest.fixture
def visitor(database: Database) -> Iterator[Visitor]:
    """Starts the application with these settings, on the test's database, for a new browser."""
    with ExitStack() as stack:
        yield lambda **flags: stack.enter_context(visiting(database, **flags))


@contextmanager
def visiting(
    database: Database, *, host: str = "127.0.0.1", **flags: object
) -> Iterator[httpx.Client]:
    """The application on a socket, and a client of it."""
    application = web.application(database, settings.load(**flags), host)
    with (
        served(application, http=web.ImpatientProtocol) as url,
        httpx.Client(base_url=url, timeout=60, headers=BROWSER) as client,
    ):
        yield client
