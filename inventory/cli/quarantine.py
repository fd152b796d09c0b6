"""`inventory quarantine`: what arrived and could not be an event."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import get_args

import click

from inventory import ingest, read_model
from inventory import quarantine as room
from inventory.cli import output
from inventory.cli.session import Session, pass_session
from inventory.notification import Reason
from inventory.printable import printable
from inventory.rows import plain

COLUMNS = ("id", "received_at", "source", "reason", "detail", "arrivals")
REASON = click.option("--reason", type=click.Choice(get_args(Reason)), help="Of this reason only.")


@click.group()
def quarantine() -> None:
    """What arrived and could not be an event: kept, with the reason, until somebody decides."""


@quarantine.command("list")
@REASON
@click.option("--all", "everything", is_flag=True, help="What was resolved, too.")
@click.option("--limit", type=click.IntRange(min=1), help="At most so many rows.")
@output.format_option
@pass_session
def list_(
    session: Session,
    reason: str | None,
    limit: int | None,
    format_: str | None,
    output_: Path | None,
    *,
    everything: bool,
) -> None:
    """What is in quarantine, oldest first."""
    query = read_model.quarantined(everything=everything, reason=reason, limit=limit)
    with session.database() as database:
        columns = (*COLUMNS, "resolution") if everything else COLUMNS
        output.write_query(database, query, format_, output_, columns)


@quarantine.command()
@click.argument("id_", metavar="ID", type=int)
@pass_session
def show(session: Session, id_: int) -> None:
    """One item: why it is here on standard error, its bytes as they arrived on standard output."""
    with session.database() as database, database.engine.connect() as connection:
        item = read_model.quarantined_item(connection, id_)
    if item is None:
        raise room.NotInQuarantine(id_)
    for name in ("source", "received_at", "arrivals", "reason", "detail", "resolution"):
        value = plain(item[name])
        if value is not None:
            output.stderr.print(printable(f"{name}: {value}"), markup=False)
    payload = sys.stdout.buffer
    payload.write(item["payload"] + b"\n")
    payload.flush()


@quarantine.command()
@click.argument("ids", metavar="[ID]...", nargs=-1, type=int)
@REASON
@click.option("--all", "everything", is_flag=True, help="Everything that is open.")
@pass_session
def retry(session: Session, ids: tuple[int, ...], reason: str | None, *, everything: bool) -> None:
    """Read items again, as settings, clock and program are now; what is an event is appended."""
    settings = session.settings
    with session.database() as database, database.connect() as connection:
        chosen = _chosen(ids, room.open_ids(connection, reason), reason, everything=everything)
        done = ingest.retry(
            connection,
            chosen,
            account_id=settings.account_id,
            future_tolerance=settings.future_tolerance,
        )
        connection.commit()
    output.stderr.print(
        f"appended={done.appended} duplicates={done.duplicates} quarantined={done.quarantined}"
    )


@quarantine.command()
@click.argument("ids", metavar="[ID]...", nargs=-1, type=int)
@REASON
@click.option("--all", "everything", is_flag=True, help="Everything that is open.")
@click.option("--because", required=True, metavar="TEXT", help="Why; it is kept with the item.")
@pass_session
def discard(
    session: Session, ids: tuple[int, ...], reason: str | None, because: str, *, everything: bool
) -> None:
    """Close items without making them events. They stay, and can be read with `list --all`."""
    with session.database() as database, database.connect() as connection:
        chosen = _chosen(ids, room.open_ids(connection, reason), reason, everything=everything)
        room.discard(connection, chosen, because)
        connection.commit()
    output.stderr.print(f"discarded={len(chosen)}")


def _chosen(
    ids: tuple[int, ...], open_: list[int], reason: str | None, *, everything: bool
) -> list[int]:
    """The items meant: by id, by reason, or all. Nothing named is a mistake, not everything."""
    if bool(ids) + bool(reason) + everything != 1:
        raise click.UsageError("say which: by ID, by --reason, or --all")
    return list(ids) or open_
