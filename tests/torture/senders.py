"""Those who send: over HTTP, as RingCentral does, and as clients do whose line breaks."""

from __future__ import annotations

import http.client
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from random import Random

from tests.torture.ledger import Ledger
from tests.torture.notifications import Item, Notifications

TOKEN = "torture"
PATIENCE = 10.0
"""Seconds to wait for an answer; more than RingCentral's, so as to hear each that is given."""
REST = 0.04
"""Seconds between deliveries of a sender at most."""


class Senders:
    """Threads that deliver, one notification after the other, each on a connection of its own."""

    def __init__(
        self, ports: Sequence[int], notifications: Notifications, ledger: Ledger, seed: str
    ) -> None:
        self._ports = ports
        self._notifications = notifications
        self._ledger = ledger
        self._seed = seed
        self._choosing = threading.Lock()
        self._again: deque[Item] = deque(maxlen=1_000)
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []
        self.longest = 0.0
        """Seconds that an acknowledgement took at most."""

    def start(self, count: int) -> None:
        self._stopped.clear()
        self._threads = [
            threading.Thread(target=self._run, args=(nth,), daemon=True) for nth in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Come back when what was begun is answered."""
        self._stopped.set()
        for thread in self._threads:
            thread.join()
        self._threads = []

    def next(self) -> Item:
        """What is to be sent now; what was not acknowledged often comes again."""
        with self._choosing:
            item = self._again.popleft() if len(self._again) > 20 else self._notifications.next()
        self._ledger.sending(item)
        return item

    def refused(self, item: Item) -> None:
        """It was not acknowledged."""
        self._again.append(item)

    def _run(self, nth: int) -> None:
        random = Random(f"{self._seed}-sender-{nth}")
        connection: http.client.HTTPConnection | None = None
        while not self._stopped.is_set():
            item = self.next()
            port = random.choice(self._ports)
            draw = random.random()
            if draw < 0.02:
                _torn(port, item.payload, random)
                self._ledger.answered(item, "torn", acknowledged=False)
            elif draw < 0.04:
                _deaf(port, item.payload)
                self._ledger.answered(item, "deaf", acknowledged=False)
            else:
                if connection is None or connection.port != port or random.random() < 0.1:
                    if connection is not None:
                        connection.close()
                    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
                self._deliver(connection, item, random)
            self._stopped.wait(random.random() * REST)
        if connection is not None:
            connection.close()

    def _deliver(self, connection: http.client.HTTPConnection, item: Item, random: Random) -> None:
        begun = time.monotonic()
        answer = "no answer"
        try:
            connection.request(
                "POST", "/webhooks/ringcentral", item.payload, {"Verification-Token": TOKEN}
            )
            response = connection.getresponse()
            response.read()  # IncompleteRead, unless all of it came
            answer = str(response.status)
        except (OSError, http.client.HTTPException):
            connection.close()
        self._ledger.answered(item, answer, acknowledged=answer == "200")
        if answer == "200":
            self.longest = max(self.longest, time.monotonic() - begun)
        elif random.random() < 0.6:
            self.refused(item)


def _head(length: int) -> bytes:
    return (
        b"POST /webhooks/ringcentral HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        b"Verification-Token: %s\r\nContent-Length: %d\r\n\r\n" % (TOKEN.encode(), length)
    )


def _torn(port: int, payload: bytes, random: Random) -> None:
    """The line breaks somewhere in the middle."""
    request = _head(len(payload)) + payload
    _speak(port, request[: random.randrange(1, len(request))])


def _deaf(port: int, payload: bytes) -> None:
    """All of it is sent, and nobody waits for the answer."""
    _speak(port, _head(len(payload)) + payload)


def _speak(port: int, request: bytes) -> None:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), PATIENCE) as line:
        line.sendall(request)
        # Closed without a farewell: a reset, as from a machine that is gone.
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
