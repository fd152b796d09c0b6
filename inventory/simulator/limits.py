"""
Rate limits as the platform enforces them: a sliding window, and a penalty that begins anew.

Written from the platform's documentation, apart from the client's own book-keeping, so that a
mistake in one shows in the other.
"""

from __future__ import annotations

import time
from collections import deque
from typing import NamedTuple

LIMITS = {"light": 50, "medium": 40, "heavy": 10, "auth": 5}


class Verdict(NamedTuple):
    """Whether a request may pass, and what its answer says of the limit."""

    allowed: bool
    headers: dict[str, str]


class Limits:
    """
    The budgets of one user and app.

    Args:
        limits: Requests a window, by group.
        window: Seconds.
        penalty: Seconds.
    """

    def __init__(
        self, limits: dict[str, int] | None = None, *, window: float = 60, penalty: float = 60
    ) -> None:
        self.limits = dict(LIMITS if limits is None else limits)
        self.window = window
        self.penalty = penalty
        self._passed: dict[str, deque[float]] = {group: deque() for group in self.limits}
        self._until: dict[str, float] = dict.fromkeys(self.limits, 0.0)
        self.restarted = 0
        """Penalties begun anew, by requests that came during one."""

    def judge(self, group: str) -> Verdict:
        """Count a request of *group*."""
        now = time.monotonic()
        passed = self._passed[group]
        while passed and passed[0] <= now - self.window:
            passed.popleft()
        if now < self._until[group]:
            self.restarted += 1
            return self._punish(group, now)
        if len(passed) >= self.limits[group]:
            return self._punish(group, now)
        passed.append(now)
        return Verdict(allowed=True, headers=self._headers(group, self.limits[group] - len(passed)))

    def punish(self, group: str) -> Verdict:
        """Refuse a request for no reason."""
        return self._punish(group, time.monotonic())

    def _punish(self, group: str, now: float) -> Verdict:
        self._until[group] = now + self.penalty
        wait = {"Retry-After": f"{self.penalty:g}"}
        return Verdict(allowed=False, headers=self._headers(group, 0) | wait)

    def _headers(self, group: str, remaining: int) -> dict[str, str]:
        return {
            "X-Rate-Limit-Group": group,
            "X-Rate-Limit-Limit": str(self.limits[group]),
            "X-Rate-Limit-Remaining": str(remaining),
            "X-Rate-Limit-Window": f"{self.window:g}",
        }
