"""What the senders know: what they sent, and what was acknowledged."""

from __future__ import annotations

import threading
from collections import Counter

from tests.torture.notifications import Item


class Ledger:
    """Kept outside of everything that is killed; filled by many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.sent: dict[bytes, Item] = {}
        """Whatever was, or was to be, sent; by its bytes."""
        self.acknowledged: set[bytes] = set()
        self.answers: Counter[str] = Counter()
        """How many deliveries ended how; an acknowledgement counts each time."""

    def sending(self, item: Item) -> None:
        """Before the first byte of it leaves: from now on it may turn up."""
        with self._lock:
            self.sent[item.payload] = item

    def answered(self, item: Item, answer: str, *, acknowledged: bool) -> None:
        """After the last byte of the answer, or when it is known that there will be none."""
        with self._lock:
            self.answers[answer] += 1
            if acknowledged:
                self.acknowledged.add(item.payload)

    @property
    def acknowledgements(self) -> int:
        with self._lock:
            return self.answers["200"] + self.answers["ingested"]
