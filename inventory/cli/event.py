"""`inventory event`: the log itself."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from inventory import read_model, verification
from inventory.cli import output
from inventory.cli.correct import correct_
from inventory.cli.parameters import INSTANT
from inventory.cli.session import Session, pass_session
from inventory.database import Database
from inventory.ingest import Intake, Outcome, Source
from inventory.ingest.framing import frames
from inventory.rows import json_of, plain

COLUMNS = (
    *("account_id", "position", "occurred_at", "event_type", "origin", "phone_number_id"),
    *("phone_number", "usage_type", "provider_id"),
)
GLANCE = 0.5
"""Seconds between looks for new events while following."""


@click.group()
def event() -> None:
    """The log: every accepted event, append-only."""


event.add_command(correct_)


@event.command("ingest")
@click.argument("files", metavar="FILE...|-", nargs=-1, required=True)
@click.option("--format", "format_", type=click.Choice(("text", "json")), default="text")
@pass_session
def ingest_(session: Session, files: tuple[str, ...], format_: str) -> None:
    """
    Append notifications from files, or - for standard input.

    A file holds one JSON object, an array of them, or one a line (NDJSON); each also gzipped.
    Taking in the same file again appends nothing.
    """
    settings = session.settings
    outcome = Outcome()
    with session.database() as database:
        try:
            for path in files:
                with (
                    Source(path) as source,
                    database.connect() as connection,
                    _progress(source, outcome) as written,
                ):
                    intake = Intake(
                        f"file:{source.name}",
                        account_id=settings.account_id,
                        future_tolerance=settings.future_tolerance,
                        numbered=True,
                    )
                    intake.run(connection, frames(source.blocks()), written)
        finally:
            # Also after an error or an interrupt: what is counted here is committed.
            _report(outcome, format_)


@event.command("list")
@click.option("--number", "wanted", metavar="NUMBER", help="Of this number only.")
@click.option("--since", type=INSTANT, help="That occurred from then on.")
@click.option("--until", type=INSTANT, help="That occurred before then.")
@click.option("--type", "event_type", type=click.Choice(("Created", "Updated", "Deleted")))
@click.option("--origin", type=click.Choice(("notification", "observation", "operator")))
@output.list_options
@pass_session
def list_(
    session: Session,
    wanted: str | None,
    since: datetime | None,
    until: datetime | None,
    event_type: str | None,
    origin: str | None,
    account: str | None,
    limit: int | None,
    format_: str | None,
    output_: Path | None,
) -> None:
    """Events by account and position."""
    with session.database() as database:
        keys = None
        if wanted is not None:
            with database.engine.connect() as connection:
                keys = read_model.identities(connection, wanted, account=account)
        query = read_model.events(
            account=account,
            keys=keys,
            since=since,
            until=until,
            event_type=event_type,
            origin=origin,
            limit=limit,
        )
        output.write_query(database, query, format_, output_, COLUMNS)
        with database.engine.connect() as connection:
            for away in connection.execute(read_model.archives(account=account)):
                output.stderr.print(
                    f"events {away.first_position} to {away.last_position} of account "
                    f"{away.account_id} are in {away.directory}, and only some of them here",
                    markup=False,
                    soft_wrap=True,
                )


@event.command()
@click.argument("position", type=click.IntRange(min=1))
@click.option("--account", metavar="ID", help="Of this account.")
@click.option("--payload", is_flag=True, help="The payload alone, byte for byte as it arrived.")
@pass_session
def show(session: Session, position: int, account: str | None, *, payload: bool) -> None:
    """One event, with its payload."""
    with session.database() as database, database.engine.connect() as connection:
        found = read_model.event_at(connection, position, account=account)
    if payload:
        stream = sys.stdout.buffer
        stream.write(found["payload"].encode())
        stream.flush()
        return
    row = {name: plain(value) for name, value in found.items()}
    # Not read into values: there are numbers in JSON that Python cannot hold, or not as they are.
    shown = msgspec.json.encode(row | {"payload": msgspec.Raw(found["payload"].encode())})
    click.echo(msgspec.json.format(shown, indent=2).decode())


@event.command()
@click.option("-n", "count", type=click.IntRange(min=0), default=10, help="Start so many back.")
@click.option("-f", "--follow", is_flag=True, help="Go on with what comes, until interrupted.")
@click.option("--account", metavar="ID", help="Of this account only.")
@pass_session
def tail(session: Session, count: int, account: str | None, *, follow: bool) -> None:
    """The latest events of each account, one JSON object a line."""
    with session.database() as database:
        with database.engine.connect() as connection:
            heads = read_model.heads(connection, account=account)
        positions = {account_id: max(0, head - count) for account_id, head in heads.items()}
        while True:
            _print_after(database, positions, account)
            if not follow:
                return
            time.sleep(GLANCE)


@event.command()
@click.option("--account", metavar="ID", help="Of this account only.")
@output.format_option
@pass_session
def head(session: Session, account: str | None, format_: str | None, output_: Path | None) -> None:
    """
    The head of each account's log: what `inventory verify --head` wants to see again.

    Kept where nobody who can write the database can write, it proves that no event up to it was
    altered, added or removed since.
    """
    columns = ("account_id", "position", "head_hash", "at")
    with session.database() as database:
        query = verification.heads(account=account)
        output.write_query(database, query, format_, output_, columns)


def _print_after(database: Database, positions: dict[str, int], account: str | None) -> None:
    with database.engine.connect() as connection:
        for row in read_model.events_after(connection, positions, account=account):
            click.echo(json_of(row, tuple(row.keys())))


def _report(outcome: Outcome, format_: str) -> None:
    counts = {
        "appended": outcome.appended,
        "duplicates": outcome.duplicates,
        "quarantined": outcome.quarantined,
    }
    if format_ == "json":
        click.echo(json.dumps(counts))
    click.echo(" ".join(f"{name}={count}" for name, count in counts.items()), err=True)


@contextmanager
def _progress(source: Source, total: Outcome) -> Iterator[Any]:
    """A callback that adds to *total*, and on a terminal moves a bar."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(show_speed=False),
        TextColumn("{task.fields[events]:,} notifications, {task.fields[rate]:,.0f}/s"),
        TimeRemainingColumn(),
        console=output.stderr,
        disable=not sys.stderr.isatty(),
    )
    begun, before = time.monotonic(), total.total
    with bar:
        task = bar.add_task(source.name, total=source.size, events=0, rate=0.0)

        def written(outcome: Outcome) -> None:
            nonlocal total
            total += outcome
            events = total.total - before
            rate = events / max(time.monotonic() - begun, 1e-9)
            bar.update(task, completed=source.read_so_far, events=events, rate=rate)

        yield written
