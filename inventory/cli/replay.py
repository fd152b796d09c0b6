"""`inventory replay`: history again, event by event, as it was recorded."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from operator import attrgetter
from typing import TypeAlias

import click
from rich.progress import Progress
from sqlalchemy import Connection

from inventory import explanation, read_model
from inventory.cli import output
from inventory.cli.parameters import INSTANT
from inventory.cli.session import Session, pass_session
from inventory.event import Recorded
from inventory.printable import printable
from inventory.replay import Replay, Replayed
from inventory.rows import json_of

Walk: TypeAlias = Callable[[str, Iterable[Recorded]], Iterator[Recorded]]
"""An account's log, event by event."""


@click.command()
@click.argument("wanted", metavar="[NUMBER]", required=False)
@click.option("--account", metavar="ID", help="Of this account only.")
@click.option("--until", type=INSTANT, help="What was recorded before then.")
@click.option(
    "--from-position",
    type=click.IntRange(min=1),
    default=1,
    help="From there on; what comes before is folded, and not told of.",
)
@click.option("--format", "format_", type=click.Choice(("text", "ndjson")), default="text")
@pass_session
def replay(
    session: Session,
    wanted: str | None,
    account: str | None,
    until: datetime | None,
    from_position: int,
    format_: str,
) -> None:
    """
    What each event did when it came: of a number, of an account, or of all, one after the other.

    In the order in which events were recorded. One that came late has changed what had been said
    of the past, and it is said of which time, and how.
    """
    with session.database() as database, database.engine.connect() as connection:
        heads = read_model.heads(connection, account=account)
        keys = None
        if wanted is not None:
            keys = read_model.identities(connection, wanted, account=account)
            heads = {account_id: heads[account_id] for account_id, _ in keys}
        if from_position > 1 and len(heads) > 1:
            raise read_model.AccountNeeded(sorted(heads))
        seen = _Seen()
        with _progress(heads) as walk, output.opened(None) as (stream, _):
            for account_id, head in sorted(heads.items()):
                log = walk(account_id, _log(connection, account_id, head, keys, until))
                told = seen.counted(_told(connection, log, from_position))
                if format_ == "text":
                    stream.write(f"account {account_id}\n")
                    stream.writelines(
                        f"{printable(line)}\n"
                        for each in told
                        for line in explanation.of_replayed(each)
                    )
                else:
                    records = map(explanation.record_of_replayed, told)
                    stream.writelines(f"{json_of(each, tuple(each))}\n" for each in records)
    click.echo(f"events={seen.events} changes={seen.changes} late={seen.late}", err=True)


def _log(
    connection: Connection,
    account_id: str,
    head: int,
    keys: Sequence[tuple[str, str]] | None,
    until: datetime | None,
) -> Iterable[Recorded]:
    """What is to be told of an account, in the order of positions."""
    if keys is None:
        return read_model.account_log(connection, account_id, head=head, until=until)
    known = [
        each
        for key in keys
        if key[0] == account_id
        for each in read_model.log_of(connection, *key)
        if until is None or each.recorded_at < until
    ]
    return sorted(known, key=attrgetter("position"))


def _told(
    connection: Connection, log: Iterable[Recorded], from_position: int
) -> Iterator[Replayed]:
    """What each event from a position on did."""

    def known_with(recorded: Recorded) -> list[Recorded]:
        key = recorded.event.account_id, recorded.event.phone_number_id
        return read_model.log_of(connection, *key, known_at=recorded.recorded_at)

    history = Replay(known_with)
    for recorded in log:
        replayed = history.take(recorded)
        if recorded.position >= from_position:
            yield replayed


class _Seen:
    """What was told, counted."""

    def __init__(self) -> None:
        self.events = self.changes = self.late = 0

    def counted(self, told: Iterable[Replayed]) -> Iterator[Replayed]:
        for replayed in told:
            self.events += 1
            self.changes += replayed.step.change is not None
            self.late += replayed.revision is not None
            yield replayed


@contextmanager
def _progress(heads: dict[str, int]) -> Iterator[Walk]:
    """A way along each account's log that moves a bar, unless it would move within what is told."""
    shown = sys.stderr.isatty() and not sys.stdout.isatty()
    with Progress(console=output.stderr, disable=not shown) as bar:

        def walk(account_id: str, log: Iterable[Recorded]) -> Iterator[Recorded]:
            task = bar.add_task(f"account {account_id}", total=heads[account_id])
            for recorded in log:
                yield recorded
                if recorded.position % 1000 == 0:
                    bar.update(task, completed=recorded.position)
            bar.update(task, completed=heads[account_id])

        yield walk
