"""`inventory reassignment`: what moved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from inventory import read_model
from inventory.cli import output
from inventory.cli.parameters import INSTANT, clocks
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
@click.option(
    "--kind",
    multiple=True,
    type=click.Choice(read_model.REASSIGNMENTS),
    help="Of this kind; repeatable.",
)
@click.option("--from-provider", metavar="ID", help="Away from this provider.")
@click.option("--to-provider", metavar="ID", help="To this provider.")
@clocks
@output.list_options
@pass_session
def list_(
    session: Session,
    since: datetime | None,
    until: datetime | None,
    kind: tuple[str, ...],
    from_provider: str | None,
    to_provider: str | None,
    at: datetime | None,
    known_at: datetime | None,
    account: str | None,
    limit: int | None,
    format_: str | None,
    output_: Path | None,
) -> None:
    """Reassignments, latest first; at another time those until then, as they were known then."""
    query = read_model.reassignments(
        since=since,
        until=until,
        kind=kind,
        from_provider=from_provider,
        to_provider=to_provider,
        account=account,
        at=at,
        known_at=known_at,
        limit=limit,
    )
    with session.database() as database:
        output.write_query(database, query, format_, output_, COLUMNS)


@reassignment.command()
@click.option("--since", type=INSTANT, help="From then on.")
@click.option("--until", type=INSTANT, help="Before then.")
@click.option("--account", metavar="ID", help="Of this account only.")
@output.format_option
@pass_session
def matrix(
    session: Session,
    since: datetime | None,
    until: datetime | None,
    account: str | None,
    format_: str | None,
    output_: Path | None,
) -> None:
    """
    How many numbers moved from whom to whom: a row for each that gave, a column for each that took.

    (outside) is outside Contact Center, (unnamed) whoever has a number that names no provider.
    """
    query = read_model.reassignment_matrix(since=since, until=until, account=account)
    with session.database() as database, database.engine.connect() as connection:
        result = connection.execute(query)
        names, rows = list(result.keys()), [dict(row) for row in result.mappings()]
    if output.is_table(format_, output_):
        names, rows = _crossed(rows)
    output.write(rows, names, format_, output_)


def _crossed(rows: Iterable[dict[str, Any]]) -> tuple[list[str], list[dict[str, Any]]]:
    """Columns and rows of a table that has a cell for each of *rows*, and totals."""
    counts = {(_label(row, "from"), _label(row, "to")): row["count"] for row in rows}
    giving = list(dict.fromkeys(giver for giver, _ in counts))
    taking = sorted({taker for _, taker in counts})
    given: Counter[str] = Counter()
    taken: Counter[str] = Counter()
    for (giver, taker), count in counts.items():
        given[giver] += count
        taken[taker] += count
    table: list[dict[str, Any]] = [
        {"from": giver}
        | {taker: counts.get((giver, taker)) for taker in taking}
        | {"total": given[giver]}
        for giver in giving
    ]
    table.append({"from": "total"} | taken | {"total": given.total()})
    return ["from", *taking, "total"], table


def _label(row: dict[str, Any], side: str) -> str:
    """How a table calls who gave or took: by id and name, since one name may be of several."""
    said = (row[f"{side}_provider_id"], row[f"{side}_provider_name"])
    return " ".join(filter(None, said)) or "(unnamed)"
