"""`inventory projection`: folding the log into the inventory."""

from __future__ import annotations

import time
from pathlib import Path

import click

from inventory import projector, read_model
from inventory.cli import output
from inventory.cli.session import Session, pass_session
from inventory.projector import Folded

GLANCE = 0.5
"""Seconds between looks for new events while following."""


@click.group()
def projection() -> None:
    """The projection: the current inventory and its versions, folded from the log."""


@projection.command()
@click.option("--follow", is_flag=True, help="Go on, folding what comes, until interrupted.")
@pass_session
def run(session: Session, *, follow: bool) -> None:
    """Fold the events that were appended since the last fold."""
    with session.database() as database:
        while True:
            with output.stderr.status("folding"):
                for folded in projector.fold_all(database.connect):
                    _report(folded)
            if not follow:
                return
            time.sleep(GLANCE)


@projection.command()
@pass_session
def rebuild(session: Session) -> None:
    """Fold every log anew, and put the result in place while readers go on."""
    with (
        session.database() as database,
        database.connect() as connection,
        output.stderr.status("rebuilding"),
    ):
        done = projector.rebuild(connection, done=_report)
        connection.commit()
    events = sum(folded.events for folded in done)
    output.stderr.print(f"rebuilt {len(done)} accounts from {events:,} events")


@projection.command()
@output.format_option
@pass_session
def status(session: Session, format_: str | None, output_: Path | None) -> None:
    """How far each account is folded."""
    columns = ("account_id", "head", "projected_position", "lag_events", "lag_seconds")
    with session.database() as database:
        output.write_query(database, read_model.freshness(), format_, output_, columns)


def _report(folded: Folded) -> None:
    output.stderr.print(
        f"account {folded.account_id}: folded {folded.events:,} events, up to {folded.through:,}"
    )
