"""
How many requests RingCentral lets us make.

Source: developer guide, *Rate limits*: so many requests of a group in any 60 seconds, for a user
and an app together, whichever process makes them. Beyond them it answers 429 and opens a penalty
of 60 seconds, and each request during the penalty opens it anew: whoever retries naively never
recovers.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping

WINDOW = 60.0
PENALTY = 60.0
MARGIN = 0.5
"""Seconds that we wait longer: we count from when we send, they from when it has arrived."""


class Budget:
    """
    The requests of one group, counted by us and corrected by what RingCentral's headers say.

    Args:
        limit: Requests in any `WINDOW` seconds, until the headers say otherwise.
        clock: Seconds, never going back.
    """

    def __init__(self, limit: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.limit = limit
        """Requests in the window, as last told."""
        self._clock = clock
        self._window = WINDOW
        self._spent: deque[float] = deque()
        self._closed_until = 0.0
        self._lock = threading.Lock()

    def spend(self) -> float:
        """0 if a request may go out now, which is then counted; else seconds until asking again."""
        with self._lock:
            now = self._clock()
            if now < self._closed_until:
                return self._closed_until - now
            window = self._forget(now)
            if len(self._spent) >= self.limit:
                return self._spent[-self.limit] + window - now
            self._spent.append(now)
            return 0.0

    def left(self) -> int:
        """How many requests may go out now; 0 during a penalty."""
        with self._lock:
            now = self._clock()
            self._forget(now)
            return 0 if now < self._closed_until else max(0, self.limit - len(self._spent))

    def learn(self, headers: Mapping[str, str]) -> None:
        """
        Take over what a response says of the limit.

        Others share the budget. What they spent counts as if it had been spent just now; what an
        older response says, that more is left, is not believed.
        """
        limit, remaining, window = (
            _number(headers.get(f"x-rate-limit-{name}"))
            for name in ("limit", "remaining", "window")
        )
        with self._lock:
            self.limit = max(1, int(limit)) if limit is not None else self.limit
            self._window = window or self._window
            if remaining is not None:
                now = self._clock()
                elsewhere = self.limit - len(self._spent) - int(remaining)
                self._spent.extend([now] * max(0, elsewhere))

    def close(self, seconds: float | None) -> float:
        """A 429 came: no request for so long, or for the usual penalty; tells how long."""
        with self._lock:
            wait = (PENALTY if seconds is None else seconds) + MARGIN
            self._closed_until = max(self._closed_until, self._clock() + wait)
            return wait

    def _forget(self, now: float) -> float:
        """Forget what was spent before the window, and tell how long that is."""
        window = self._window + MARGIN
        while self._spent and self._spent[0] <= now - window:
            self._spent.popleft()
        return window


def _number(text: str | None) -> float | None:
    try:
        number = float(text) if text is not None else None
    except ValueError:
        return None
    return number if number is not None and 0 <= number < 1e6 else None


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that a response asks us to wait; null if it does not."""
    return _number(headers.get("retry-after"))
