"""Giving what is in quarantine another chance."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

from psycopg import Connection

from inventory import event_log, quarantine
from inventory.ingest.intake import Intake


class Retried(NamedTuple):
    """What a retry came to."""

    appended: int
    duplicates: int
    quarantined: int
    """Still in quarantine, for the reason they were or another."""


def retry(
    connection: Connection,
    ids: Sequence[int],
    *,
    account_id: str | None,
    future_tolerance: timedelta,
) -> Retried:
    """
    Read quarantined items again, as settings, clock and program are now.

    In the caller's transaction: all of them, or none.

    Raises:
        NotInQuarantine: One of *ids* is none or closed; then nothing was done.
    """
    appended = duplicates = quarantined = 0
    for id_ in ids:
        item = quarantine.take(connection, id_)
        intake = Intake(item.source, account_id=account_id, future_tolerance=future_tolerance)
        batch = intake.read([item.payload]).batch
        outcome = event_log.append(connection, batch, source=item.source)
        appended += outcome.appended
        duplicates += outcome.duplicates
        if outcome.appended:
            quarantine.resolve(connection, item, "appended")
        elif outcome.duplicates:
            quarantine.resolve(connection, item, "duplicate of a recorded event")
        else:
            quarantined += 1
    return Retried(appended, duplicates, quarantined)
