"""`inventory number explain`: why a number is as it is, or was as it was."""

from __future__ import annotations

from datetime import datetime

import click

from inventory import explanation, lifecycle, read_model
from inventory.cli import output
from inventory.cli.parameters import clocks
from inventory.cli.session import Session, pass_session
from inventory.printable import printable


@click.command()
@click.argument("wanted", metavar="NUMBER")
@click.option("--account", metavar="ID", help="Of this account only.")
@clocks
@click.option("--payload", is_flag=True, help="Each event as it arrived, too.")
@click.option("--format", "format_", type=click.Choice(("text", "json", "ndjson")), default="text")
@pass_session
def explain(
    session: Session,
    wanted: str,
    account: str | None,
    at: datetime | None,
    known_at: datetime | None,
    format_: str,
    *,
    payload: bool,
) -> None:
    """
    What each event did to a number, and which event set each of its fields.

    For each field: when that happened, when we learned it, and from where. An E.164 number that
    several ids held over time is explained for all of them, in order.
    """
    with session.database() as database, database.engine.connect() as connection:
        keys = read_model.identities(connection, wanted, account=account)
        logs = (read_model.log_of(connection, *key, at=at, known_at=known_at) for key in keys)
        steps = ((key, list(lifecycle.steps(log))) for key, log in zip(keys, logs, strict=True))
        if format_ == "text":
            if len(keys) > 1:
                click.echo(f"{wanted} names {len(keys)} numbers, the earliest first\n")
            for key, taken in steps:
                for line in explanation.of_number(*key, taken, payloads=payload):
                    click.echo(printable(line))
            return
        records = [
            explanation.record_of_number(*key, taken, payloads=payload) for key, taken in steps
        ]
        output.write(records, tuple(records[0]), format_, None)
