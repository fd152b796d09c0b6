"""`inventory verify`: whether anybody altered the record."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from inventory import archive, read_model, verification
from inventory.cli import exits, output
from inventory.cli.session import Session, pass_session
from inventory.verification import Difference, Verified


@click.command()
@click.option(
    "--head",
    "heads",
    type=click.File("rb"),
    help="Heads noted earlier by `inventory event head`, which must still be on the chain.",
)
@click.option(
    "--archive",
    "archived",
    type=click.Path(path_type=Path, file_okay=False),
    multiple=True,
    help="Together with this archive, which was detached; may be repeated.",
)
@click.option("--account", metavar="ID", help="Of this account only.")
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=1000,
    show_default=True,
    help="Name at most so many differences; the others are counted.",
)
@output.format_option
@pass_session
def verify(
    session: Session,
    heads: Any,
    archived: tuple[Path, ...],
    account: str | None,
    limit: int,
    format_: str | None,
    output_: Path | None,
) -> int:
    """
    Hold the record against itself, and name all that differs.

    The hash chain, recomputed from the payloads; the log's columns, read from the payloads anew;
    the inventory and its versions, folded anew from the log. Writers may go on meanwhile. Ends
    with 3 if anything differs. Where events were detached, it fails without their archives.
    """
    anchors = verification.read_anchors(heads.read()) if heads else []
    verified, found = Verified(), _Counted(limit)
    begun = time.monotonic()
    with session.database() as database, database.connect() as connection:
        with database.engine.connect() as reader:
            events = sum(read_model.heads(reader, account=account).values())
        with _progress(events) as read:
            differences = archive.verify(
                connection, archived, verified, account=account, anchors=anchors, read=read
            )
            output.write(found.named(differences), Difference._fields, format_, output_)
    _report(verified, found, time.monotonic() - begun)
    return exits.DIFFERENCES if found.count else 0


class _Counted:
    """Differences, of which only the first are named."""

    def __init__(self, limit: int) -> None:
        self.count = 0
        self.limit = limit

    def named(self, differences: Iterable[Difference]) -> Iterator[dict[str, Any]]:
        for difference in differences:
            self.count += 1
            if self.count <= self.limit:
                yield difference._asdict()

    @property
    def unnamed(self) -> int:
        return max(0, self.count - self.limit)


def _report(verified: Verified, found: _Counted, seconds: float) -> None:
    if found.unnamed:
        click.echo(f"and {found.unnamed} more differences; --limit names more", err=True)
    click.echo(
        f"verified accounts={verified.accounts} events={verified.events} seals={verified.seals} "
        f"differences={found.count}, {verified.events / max(seconds, 1e-9):,.0f} events/s",
        err=True,
    )


@contextmanager
def _progress(events: int) -> Iterator[Callable[[int], None]]:
    """A callback that on a terminal moves a bar; each event is read twice."""
    bar = Progress(
        TextColumn("verifying"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=output.stderr,
        disable=not sys.stderr.isatty(),
    )
    with bar:
        task = bar.add_task("verifying", total=2 * events)
        yield lambda rows: bar.advance(task, rows)
