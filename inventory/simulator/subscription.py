"""A subscription: how long it lasts, and when its owner wants to be reminded of its end."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple
from urllib.parse import parse_qs

REMINDER = "/restapi/v1.0/subscription/~?"
LONGEST_TERM = 315_360_000
USUAL_TERM = 604_800
WEBSOCKET_TERM = 86_399


class Reminder(NamedTuple):
    """What a reminder filter asks for, in seconds."""

    threshold: int
    """Left of the term at the first reminder."""
    interval: int
    """From one reminder to the next."""


@dataclass
class Subscription:
    """A subscription, and what the platform keeps to itself of it."""

    id: str
    transport: str
    filters: list[str]
    created: datetime
    expires: datetime
    term: int
    address: str | None = None
    verification_token: str | None = None
    status: str = "Active"
    blacklisted: dict[str, str] | None = None
    failing_since: datetime | None = None
    disabled: list[str] = field(default_factory=list)
    reminded: dict[str, datetime] = field(default_factory=dict)

    def begin(self, now: datetime) -> None:
        """Its term begins anew."""
        self.expires = now + timedelta(seconds=self.term)

    def left(self, now: datetime) -> int:
        """Seconds until it ends."""
        return int((self.expires - now).total_seconds())

    def due(self, now: datetime) -> list[str]:
        """The reminder filters whose time has come; each is then taken for done."""
        found = []
        for filter_ in self.filters:
            reminder = reminder_of(filter_)
            if reminder is None or self.expires - now > timedelta(seconds=reminder.threshold):
                continue
            latest = self.reminded.get(filter_)
            if latest is None or now - latest >= timedelta(seconds=reminder.interval):
                self.reminded[filter_] = now
                found.append(filter_)
        return found


def term_of(transport: str, expires_in: int | None) -> int:
    """Seconds that a subscription lasts when *expires_in* is asked for; too many are lowered."""
    return (
        WEBSOCKET_TERM if transport == "WebSocket" else min(expires_in or USUAL_TERM, LONGEST_TERM)
    )


def reminder_of(filter_: str) -> Reminder | None:
    """
    What a reminder filter asks for; null if *filter_* is none, or none that makes sense.

    >>> reminder_of("/restapi/v1.0/subscription/~?threshold=60&interval=15")
    Reminder(threshold=60, interval=15)
    """
    if not filter_.startswith(REMINDER):
        return None
    query = parse_qs(filter_.removeprefix(REMINDER))
    given = [query.get(name, [""])[-1] for name in Reminder._fields]
    if not all(re.fullmatch("[1-9][0-9]{0,8}", text) for text in given):
        return None
    return Reminder(*map(int, given))
