"""The application on a real socket, as RingCentral meets it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import httpx
import pytest
import uvicorn

from inventory import settings, web
from inventory.database import Database
from tests.waiting import until

Receiver = Callable[..., httpx.Client]


@contextmanager
def serving(database: Database, **flags: object) -> Iterator[httpx.Client]:
    """A client of the application, which runs for as long as the context lasts."""
    app = web.application(database, settings.load(**flags))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, server_header=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            until(lambda: server.started or not thread.is_alive())
            with httpx.Client(
                base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=30
            ) as client:
                yield client
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def receiver(database: Database) -> Iterator[Receiver]:
    """Starts the application with these settings, on the test's database."""
    with ExitStack() as stack:
        yield lambda **flags: stack.enter_context(serving(database, **flags))
