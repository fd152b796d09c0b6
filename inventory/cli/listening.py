"""What commands that go on have in common: sockets to listen on, servers, logs."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import uvicorn
from starlette.types import ASGIApp

from inventory.errors import InventoryError
from inventory.redaction import RedactingFormatter, conceal
from inventory.settings import Settings


class CannotListen(InventoryError):
    """The address to listen on cannot be had."""


def listening(host: str, port: int) -> socket.socket:
    """
    A socket that listens there; port 0 is any free one.

    Raises:
        CannotListen: The address is taken, or not ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise CannotListen(f"expected to listen on {host}, port {port}: {error.strerror}") from None
    # Inherited by what is accepted. asyncio would see to it, but for sockets that name TCP as their
    # protocol alone, and these do not: the body would wait 40 ms for the head's acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def address_of(listener: socket.socket) -> str:
    """Its address as a URL."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextmanager
def served(
    application: ASGIApp, listener: socket.socket | None = None, **options: Any
) -> Iterator[str]:
    """
    *application* in a thread, for as long as the context lasts.

    On *listener*, which is closed afterwards; null: on any free port of loopback. *options* are
    uvicorn's.
    """
    with listener or listening("127.0.0.1", 0) as heard:
        server = uvicorn.Server(
            uvicorn.Config(application, log_config=None, server_header=False, **options)
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [heard]})
        thread.start()
        try:
            while not server.started:
                if not thread.is_alive():
                    raise InventoryError("expected the server to start, and it ended")
                time.sleep(0.01)
            yield address_of(heard)
        finally:
            server.should_exit = True
            thread.join()


def log_to_standard_error(settings: Settings) -> None:
    """One line a message, and no secret in any of them, whoever writes it."""
    for token in settings.webhook_tokens:
        conceal(token)
    if settings.webhook_url is not None:
        conceal(urlsplit(settings.webhook_url.get_secret_value()).query)
    handler = logging.StreamHandler()
    handler.setFormatter(RedactingFormatter("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(handlers=[handler])
    logging.getLogger("inventory").setLevel(logging.INFO)
