"""`inventory reassignment`: what moved."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from inventory import read_model
from inventory.cli import output
from inventory.cli.parameters import INSTANT
from inventory.cli.session import Session, pass_session

COLUMNS = (
    *("changed_at", "account_id", "phone_number", "kind", "from_provider_id"),
    *("from_provider_name", "to_provider_id", "to_provider_name", "origin"),
)


@click.group()
def reassignment() -> None:
    """Numbers moved into Contact Center, between providers, or away."""


@reassignment.command("list")
@click.option("--since", type=INSTANT, help="From then on.")
@click.option("--until", type=INSTANT, help="Before then.")
@click.option("--from-provider", metavar="ID", help="Away from this provider.")
@click.option("--to-provider", metavar="ID", help="To this provider.")
@output.list_options
@pass_session
def list_(
    session: Session,
    since: datetime | None,
    until: datetime | None,
    from_provider: str | None,
    to_provider: str | None,
    account: str | None,
    limit: int | None,
    format_: str | None,
    output_: Path | None,
) -> None:
    """Reassignments, latest first."""
    query = read_model.reassignments(
        since=since,
        until=until,
        from_provider=from_provider,
        to_provider=to_provider,
        account=account,
        limit=limit,
    )
    with session.database() as database:
        output.write_query(database, query, format_, output_, COLUMNS)
