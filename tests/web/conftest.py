"""The application on a real socket, as RingCentral meets it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpx
import pytest

from inventory import settings, web
from inventory.cli.listening import served
from inventory.database import Database
from inventory.errands import STOPPED

Receiver = Callable[..., httpx.Client]


@pytest.fixture
def receiver(database: Database) -> Iterator[Receiver]:
    """Starts the application with these settings, as if it listened there, on the database."""
    with ExitStack() as stack:

        def start(
            *,
            host: str = "127.0.0.1",
            database: Database = database,
            stopped: float = STOPPED,
            **flags: object,
        ) -> httpx.Client:
            app = web.application(database, settings.load(**flags), host, stopped=stopped)
            url = stack.enter_context(served(app, http=web.ImpatientProtocol))
            return stack.enter_context(httpx.Client(base_url=url, timeout=30))

        yield start
