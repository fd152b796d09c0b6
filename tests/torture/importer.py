"""`inventory event ingest FILE`, one file after the other, killed at times."""

from __future__ import annotations

import signal
import subprocess
import threading
from collections import Counter
from random import Random

from tests.torture.ledger import Ledger
from tests.torture.machine import Machine
from tests.torture.notifications import Item
from tests.torture.senders import Senders

LARGEST = 1_500
"""Notifications in a file."""


class Importer:
    """
    A thread that takes in files, and knows that a command that ended with 0 has taken in all.

    The notifications are those that the senders send, so that some come by both ways.
    """

    def __init__(self, machine: Machine, senders: Senders, ledger: Ledger, seed: str) -> None:
        self._machine = machine
        self._senders = senders
        self._ledger = ledger
        self._random = Random(seed)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._running: subprocess.Popen[bytes] | None = None
        self.ended: Counter[str] = Counter()
        """How many commands ended how."""

    def start(self) -> None:
        self._stopped.clear()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Come back when the command in hand has ended."""
        self._stopped.set()
        self._thread.join()

    def abandon(self) -> None:
        """Begin nothing more, and kill the command in hand."""
        self._stopped.set()
        self.kill()

    def kill(self) -> bool:
        """Kill the command in hand; false: there is none."""
        process = self._running
        if process is None or process.poll() is not None:
            return False
        process.kill()
        return True

    def _run(self) -> None:
        items: list[Item] = []
        while not self._stopped.is_set():
            # A file that was not taken in whole is taken in again, or not.
            if not items or self._random.random() < 0.5:
                items = [self._senders.next() for _ in range(self._random.randrange(1, LARGEST))]
            path = self._machine.directory / "import.ndjson"
            path.write_bytes(b"".join(item.payload.replace(b"\n", b"") + b"\n" for item in items))
            for item in items:
                self._ledger.sending(_in_a_line(item))
            self._running = self._machine.run("event", "ingest", str(path))
            code = self._running.wait()
            if code == 0:
                for item in items:
                    self._ledger.answered(_in_a_line(item), "ingested", acknowledged=True)
                items = []
            self.ended["killed" if code == -signal.SIGKILL else f"exit {code}"] += 1


def _in_a_line(item: Item) -> Item:
    """*item* as it stands in a file of one notification a line."""
    return item._replace(payload=item.payload.replace(b"\n", b""))
