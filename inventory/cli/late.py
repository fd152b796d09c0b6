"""`inventory change late`: which answers about the past are no longer what they were."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Connection, Select

from inventory import explanation, hindsight, read_model
from inventory.cli import output
from inventory.cli.parameters import INSTANT
from inventory.cli.session import Session, pass_session

NAMES = (
    *("account_id", "phone_number_id", "phone_number", "valid_from", "valid_to", "changed"),
    *("before", "after", "did", "recorded_at", "position", "event_type", "origin", "source"),
)
COLUMNS = (
    *("account_id", "phone_number_id", "phone_number", "valid_from", "valid_to", "did"),
    *("recorded_at", "position", "source"),
)


@click.command()
@click.option("--since", type=INSTANT, help="Of events recorded from then on.")
@click.option("--until", type=INSTANT, help="Of events recorded before then.")
@click.option("--all", "everything", is_flag=True, help="Late events that changed no answer, too.")
@output.list_options
@pass_session
def late(
    session: Session,
    since: datetime | None,
    until: datetime | None,
    account: str | None,
    limit: int | None,
    format_: str | None,
    output_: Path | None,
    *,
    everything: bool,
) -> None:
    """
    Answers about the past that a late event changed, by number and in the order of its log.

    An event is late if a younger one of its number had been recorded before it came. A row says
    from when until when, what was said of that time before and what after, and since when that
    has been known: recorded_at.
    """
    numbers = read_model.late_numbers(since=since, until=until, account=account)
    with session.database() as database, database.engine.connect() as connection:
        rows = (
            row
            for row in _revised(connection, numbers)
            if (everything or row["changed"])
            and (since is None or row["recorded_at"] >= since)
            and (until is None or row["recorded_at"] < until)
        )
        output.write(islice(rows, limit), NAMES, format_, output_, COLUMNS)


def _revised(connection: Connection, numbers: Select[Any]) -> Iterator[dict[str, Any]]:
    """What each late event of *numbers* did; one number's log at a time is here."""
    for key in connection.execute(numbers, execution_options={"yield_per": 1000}):
        for revision in hindsight.revisions(read_model.log_of(connection, *key)):
            yield explanation.record_of_late(revision)
