"""
One access token for all workers of a process.

Source: developer guide, *Tokens*: some five sessions a user and app at once, and a further login
ends the oldest. Workers that each log in throw each other out.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from inventory.redaction import conceal

MARGIN = 60.0
"""Seconds before its end that a token is no longer used; at most a tenth of its life."""


class Grant(NamedTuple):
    """An access token, as it was granted."""

    access_token: str
    expires_in: float
    """Seconds from when it was granted."""


class AccessToken:
    """
    The token in force; whoever needs one first fetches it, and the others wait for that one.

    Args:
        fetch: Logs in.
        clock: Seconds, never going back.
    """

    def __init__(
        self, fetch: Callable[[], Grant], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._token: str | None = None
        self._good_until = 0.0

    def get(self) -> str:
        """A token that is good for a while yet."""
        with self._lock:
            if self._token is None or self._clock() >= self._good_until:
                begun = self._clock()
                grant = self._fetch()
                conceal(grant.access_token, instead_of=self._token)
                self._token = grant.access_token
                life = grant.expires_in
                self._good_until = begun + life - min(MARGIN, life / 10)
            return self._token

    def reject(self, token: str) -> None:
        """RingCentral does not take *token* any more; nothing, if another is in force already."""
        with self._lock:
            if self._token == token:
                self._good_until = 0.0
