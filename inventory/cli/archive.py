"""`inventory archive`: old ranges of the log in files, and out of the table."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from inventory import archive as archives
from inventory import read_model
from inventory.archive import Examined
from inventory.cli import exits, output
from inventory.cli.parameters import INSTANT
from inventory.cli.session import Session, pass_session
from inventory.verification import Difference

DIRECTORY = click.argument("directory", type=click.Path(path_type=Path, file_okay=False))


@click.group()
def archive() -> None:
    """Old ranges of an account's log: exported to Parquet, detached, verified, restored."""


@archive.command()
@click.option("--through", type=click.IntRange(min=1), metavar="POSITION", help="Up to there.")
@click.option("--before", type=INSTANT, help="What was recorded before then.")
@click.option(
    "--directory",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Where to; it must not be there yet.",
)
@click.option("--account", metavar="ID", help="Of this account; needed where there are several.")
@pass_session
def export(
    session: Session,
    through: int | None,
    before: datetime | None,
    directory: Path,
    account: str | None,
) -> None:
    """
    Write the oldest events that are in no archive yet to files, and a manifest. Removes nothing.

    Up to the end of the last seal that lies wholly before the position or the time. The log is
    verified on the way: what was altered is not archived.
    """
    if (through is None) == (before is None):
        raise click.UsageError("expected either --through or --before")
    with session.database() as database, database.connect() as connection:
        with database.engine.connect() as reader:
            heads = read_model.heads(reader, account=account)
        if len(heads) != 1 and account is None:
            raise read_model.AccountNeeded(sorted(heads))
        account_id = account or next(iter(heads))
        with _progress("exporting", heads.get(account_id, 0)) as read:
            done = archives.export(
                connection, account_id, directory, through=through, before=before, read=read
            )
    size = sum(file.bytes for file in done.files)
    output.stderr.print(
        f"account={done.account_id} first={done.first_position} last={done.last_position} "
        f"events={done.events} seals={done.seals} bytes={size} head={done.head_hash}"
    )


@archive.command()
@DIRECTORY
@output.format_option
def verify(directory: Path, format_: str | None, output_: Path | None) -> int:
    """
    Whether an archive is as it was made: its files, its columns, its chain.

    Needs no database, no network and no settings. Ends with 3 if anything differs.
    """
    examined, count = Examined(), 0

    def named(read: Callable[[int], None]) -> Iterator[dict[str, Any]]:
        nonlocal count
        for difference in archives.examine(directory, examined, read=read):
            count += 1
            yield difference._asdict()

    with _progress("verifying", None) as read:
        output.write(named(read), Difference._fields, format_, output_)
    click.echo(
        f"verified events={examined.events} seals={examined.seals} differences={count}", err=True
    )
    return exits.DIFFERENCES if count else 0


@archive.command()
@DIRECTORY
@click.option("--apply", "apply_", is_flag=True, help="Remove them.")
@pass_session
def detach(session: Session, directory: Path, *, apply_: bool) -> int:
    """
    Say what of an archive may go from the table, and with --apply remove it.

    The archive must verify, and hold the table's events byte for byte; else it ends with 4 and
    nothing is removed. Needs the rights of the tables' owner. Afterwards replay, explain, audits, a
    rebuild, late changes and questions about times before its end fail until it is restored, and
    events that occurred before its end go into quarantine.
    """
    try:
        with session.database() as database, database.connect(autocommit=True) as connection:
            if apply_:
                done = archives.detach(connection, directory)
            else:
                done = archives.plan(connection, directory)
    except archives.NotDetachable as refused:
        click.echo(f"inventory: {refused}", err=True)
        return exits.REFUSED
    output.stderr.print(
        f"account={done.account_id} first={done.first_position} last={done.last_position} "
        f"{'removed' if apply_ else 'to_remove'}={done.removed} kept={done.kept}"
    )
    if not apply_:
        output.stderr.print("nothing was removed; --apply removes them")
    return 0


@archive.command()
@DIRECTORY
@pass_session
def restore(session: Session, directory: Path) -> None:
    """Put the events of a detached archive back into the table, as they were."""
    with session.database() as database, database.connect(autocommit=True) as connection:
        done = archives.restore(connection, directory)
    output.stderr.print(
        f"account={done.account_id} first={done.first_position} last={done.last_position} "
        f"restored={done.restored}"
    )


@archive.command("list")
@output.format_option
@pass_session
def list_(session: Session, format_: str | None, output_: Path | None) -> None:
    """The ranges that are detached, and where their archives were then."""
    columns = ("account_id", "first_position", "last_position", "occurred_until", "directory")
    with session.database() as database:
        output.write_query(database, read_model.archives(), format_, output_, columns)


@contextmanager
def _progress(what: str, events: int | None) -> Iterator[Callable[[int], None]]:
    """A callback that on a terminal moves a bar."""
    bar = Progress(
        TextColumn(what),
        BarColumn(),
        TaskProgressColumn(),
        console=output.stderr,
        disable=not sys.stderr.isatty(),
    )
    with bar:
        task = bar.add_task(what, total=events)
        yield lambda rows: bar.advance(task, rows)
