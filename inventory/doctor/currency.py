"""How current the inventory is: folded, nothing set aside, notifications coming."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from psycopg import Connection
from psycopg.rows import class_row

from inventory.doctor.judgement import Judgement, failed, ok, warning

LATE = timedelta(seconds=30)
"""What an event may wait for its fold: `inventory serve` looks every second."""
ABANDONED = timedelta(minutes=5)
"""A wait that says that nobody folds; a fold of millions of events takes less."""

FRESHNESS = """
SELECT account_id, lag_events, lag_seconds * interval '1 second' AS lag, last_notification_at
FROM inventory.freshness
ORDER BY account_id
"""
OPEN_QUARANTINE = """
SELECT reason, count(*) AS items, min(received_at) AS since
FROM inventory.quarantine
WHERE resolved_at IS NULL
GROUP BY reason
ORDER BY count(*) DESC, reason
"""


class Freshness(NamedTuple):
    """How current an account's inventory is."""

    account_id: str
    lag_events: int
    lag: timedelta
    """How long the oldest event has waited for its fold."""
    last_notification_at: datetime | None


class Aside(NamedTuple):
    """Open items of the quarantine that have one reason."""

    reason: str
    items: int
    since: datetime


def read_freshness(connection: Connection) -> list[Freshness]:
    """Each account's."""
    with connection.cursor(row_factory=class_row(Freshness)) as cursor:
        return cursor.execute(FRESHNESS).fetchall()


def read_quarantine(connection: Connection) -> list[Aside]:
    """What is open, by reason, the most frequent first."""
    with connection.cursor(row_factory=class_row(Aside)) as cursor:
        return cursor.execute(OPEN_QUARANTINE).fetchall()


def judge_projection(accounts: Sequence[Freshness]) -> Judgement:
    """Whether somebody folds the log into the inventory."""
    events = sum(account.lag_events for account in accounts)
    if not events:
        return ok(f"all is folded, of {len(accounts)} accounts")
    slowest = max(accounts, key=lambda account: account.lag)
    what = (
        f"{events:,} events wait to be folded, the oldest, of account {slowest.account_id}, "
        f"for {slowest.lag.total_seconds():.0f} s"
    )
    if slowest.lag > ABANDONED:
        return failed(
            f"{what}: nobody folds", "run `inventory serve`, or `inventory projection run`"
        )
    if slowest.lag > LATE:
        return warning(what, "look again in a minute; `inventory serve` folds within seconds")
    return ok(what)


def judge_quarantine(aside: Sequence[Aside]) -> Judgement:
    """Whether all that arrived became events."""
    if not aside:
        return ok("nothing is open")
    items = sum(each.items for each in aside)
    reasons = ", ".join(f"{each.items} {each.reason}" for each in aside)
    since = min(each.since for each in aside)
    return warning(
        f"{items} open ({reasons}), the oldest since {since:%Y-%m-%d %H:%M}Z",
        "`inventory quarantine list`, then `retry` or `discard` them",
    )


def judge_notifications(accounts: Sequence[Freshness]) -> Judgement:
    """When RingCentral last told us anything; never a fault, as it may be silent for weeks."""
    told = [each.last_notification_at for each in accounts if each.last_notification_at]
    if not told:
        return ok("none has come yet")
    return ok(f"the latest came at {max(told):%Y-%m-%d %H:%M:%S}Z; silence proves nothing")
