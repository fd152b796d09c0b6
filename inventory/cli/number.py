"""`inventory number`: the inventory, now and over time."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from inventory import read_model
from inventory.cli import explain, output
from inventory.cli.parameters import clocks
from inventory.cli.session import Session, pass_session

COLUMNS = ("account_id", "phone_number_id", "phone_number", "status", "location", "provider_id")
NOW_COLUMNS: tuple[str, ...] = (*COLUMNS, "provider_name", "valid_from", "unverified_since")
THEN_COLUMNS: tuple[str, ...] = (*COLUMNS, "provider_name")
VERSION_COLUMNS = (
    *("account_id", "phone_number_id", "valid_from", "valid_to", "phone_number", "status"),
    *("location", "provider_id", "provider_name", "opened_kind", "closed_kind"),
)


@click.group()
def number() -> None:
    """Contact Center numbers. A NUMBER is an id, or an E.164 number in any spelling."""


@number.command("list")
@click.option("--provider", metavar="ID", help="Of this provider only; '': of none named.")
@click.option("--status", metavar="STATUS", help="Of this status only: Normal, Pending, …")
@click.option("--usage-type", metavar="TYPE", help="Of this usage type only; '': of none.")
@clocks
@output.list_options
@pass_session
def list_(
    session: Session,
    provider: str | None,
    status: str | None,
    usage_type: str | None,
    at: datetime | None,
    known_at: datetime | None,
    account: str | None,
    limit: int | None,
    format_: str | None,
    output_: Path | None,
) -> None:
    """The inventory: now, or as it was at another time."""
    wanted: dict[str, Any] = {
        "account": account,
        "provider": provider,
        "status": status,
        "usage_type": usage_type,
    }
    if at is None and known_at is None:
        query, columns = read_model.numbers(**wanted, limit=limit), NOW_COLUMNS
    else:
        query = read_model.numbers_as_of(at, known_at, **wanted, limit=limit)
        columns = THEN_COLUMNS
    with session.database() as database:
        output.write_query(database, query, format_, output_, columns)


@number.command()
@click.argument("wanted", metavar="NUMBER")
@click.option("--account", metavar="ID", help="Of this account only.")
@clocks
@output.format_option
@pass_session
def show(
    session: Session,
    wanted: str,
    account: str | None,
    at: datetime | None,
    known_at: datetime | None,
    format_: str | None,
    output_: Path | None,
) -> None:
    """One number, now or as it was at another time; nothing if it was not in then."""
    with session.database() as database:
        with database.engine.connect() as connection:
            keys = read_model.identities(connection, wanted, account=account)
        if at is None and known_at is None:
            query, columns = read_model.current(keys), NOW_COLUMNS
        else:
            query, columns = read_model.numbers_as_of(at, known_at, keys=keys), THEN_COLUMNS
        output.write_query(database, query, format_, output_, columns)


@number.command()
@click.argument("wanted", metavar="NUMBER")
@clocks
@output.list_options
@pass_session
def history(
    session: Session,
    wanted: str,
    at: datetime | None,
    known_at: datetime | None,
    account: str | None,
    limit: int | None,
    format_: str | None,
    output_: Path | None,
) -> None:
    """
    Every version of a number, oldest first: what it was, from when until when.

    At another time, the versions until then, as they looked then.
    """
    with session.database() as database:
        with database.engine.connect() as connection:
            keys = read_model.identities(connection, wanted, account=account)
            if at is not None or known_at is not None:
                rows = read_model.history_as_of(connection, keys, at, known_at, limit=limit)
                names = read_model.HISTORY_COLUMNS
                output.write(rows, names, format_, output_, VERSION_COLUMNS)
                return
        query = read_model.history(keys, limit=limit)
        output.write_query(database, query, format_, output_, VERSION_COLUMNS)


number.add_command(explain.explain)
