"""`inventory change`: what changed, and when."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import get_args

import click

from inventory import read_model
from inventory.cli import late, output
from inventory.cli.parameters import INSTANT, clocks
from inventory.cli.session import Session, pass_session
from inventory.lifecycle import Kind

COLUMNS = (
    *("changed_at", "account_id", "phone_number_id", "phone_number", "kind"),
    *("from_provider_id", "to_provider_id", "position", "origin"),
)


@click.group()
def change() -> None:
    """Changes of numbers: created, reassigned, altered, deleted."""


@change.command("list")
@click.option("--since", type=INSTANT, help="From then on.")
@click.option("--until", type=INSTANT, help="Before then.")
@click.option(
    "--kind", multiple=True, type=click.Choice(get_args(Kind)), help="Of this kind; repeatable."
)
@clocks
@output.list_options
@pass_session
def list_(
    session: Session,
    since: datetime | None,
    until: datetime | None,
    kind: tuple[str, ...],
    at: datetime | None,
    known_at: datetime | None,
    account: str | None,
    limit: int | None,
    format_: str | None,
    output_: Path | None,
) -> None:
    """Changes, latest first; at another time those until then, as they were known then."""
    query = read_model.changes(
        since=since,
        until=until,
        kind=kind,
        account=account,
        at=at,
        known_at=known_at,
        limit=limit,
    )
    with session.database() as database:
        output.write_query(database, query, format_, output_, COLUMNS)


change.add_command(late.late)
