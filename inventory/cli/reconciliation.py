"""`inventory reconciliation`: the runs, what they found, and what is known and left."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click
from sqlalchemy import Connection

from inventory import read_model
from inventory.cli import output
from inventory.cli.parameters import INSTANT
from inventory.cli.session import Session, pass_session
from inventory.notification import is_id
from inventory.reconciliation import suppression
from inventory.rows import plain

COLUMNS = (
    *("id", "account_id", "source", "mode", "started_at", "outcome", "added", "different"),
    *("departed", "deleted", "missing", "suppressed", "guard", "coverage"),
)
FINDINGS = (
    *("finding", "class", "phone_number", "phone_number_id", "late_seconds", "position", "detail"),
)
SUPPRESSIONS = ("id", "account_id", "phone_number_id", "expires_at", "lifted_at", "reason")


@click.group()
def reconciliation() -> None:
    """Runs of `inventory reconcile`, by hand or by schedule, and what they found."""


@reconciliation.command("list")
@output.list_options
@pass_session
def list_(
    session: Session,
    account: str | None,
    limit: int | None,
    format_: str | None,
    output_: Path | None,
) -> None:
    """Runs, and what was asked for, latest first; with the share of changes we had been told of."""
    query = read_model.reconciliations(account=account, limit=limit)
    with session.database() as database:
        output.write_query(database, query, format_, output_, COLUMNS)


@reconciliation.command()
@click.argument("id_", metavar="ID", type=int)
@click.option("--limit", type=click.IntRange(min=1), help="At most so many findings.")
@output.format_option
@pass_session
def show(
    session: Session, id_: int, limit: int | None, format_: str | None, output_: Path | None
) -> None:
    """One run on standard error, and what it found, as it is known now, on standard output."""
    with session.database() as database:
        with database.engine.connect() as connection:
            run = read_model.reconciliation(connection, id_)
        for name, value in run.items():
            if value is not None:
                output.stderr.print(f"{name}: {plain(value)}", markup=False)
        query = read_model.discrepancies(id_, limit=limit)
        output.write_query(database, query, format_, output_, FINDINGS)


@reconciliation.command()
@click.argument("wanted", metavar="NUMBER")
@click.option("--account", metavar="ID", help="Of this account only.")
@click.option("--until", type=INSTANT, required=True, help="When it ends by itself.")
@click.option("--reason", metavar="TEXT", required=True, help="Why it is known and left.")
@pass_session
def suppress(
    session: Session, wanted: str, account: str | None, until: datetime, reason: str
) -> None:
    """
    Leave a number as it is here, whatever another list says of it.

    Its differences are shown as suppressed, are no drift, and nothing is appended for them; what
    RingCentral tells us of it by itself goes on to count.
    """
    if until <= datetime.now(UTC):
        raise click.UsageError("--until: expected a time that is to come")
    with session.database() as database:
        with database.engine.connect() as connection:
            keys = _meant(connection, wanted, account)
        with database.connect() as writer:
            for key in keys:
                suppression.suppress(writer, *key, expires_at=until, reason=reason)
    output.stderr.print(f"suppressed={len(keys)}")


@reconciliation.command()
@click.argument("wanted", metavar="NUMBER")
@click.option("--account", metavar="ID", help="Of this account only.")
@pass_session
def unsuppress(session: Session, wanted: str, account: str | None) -> None:
    """Let a number's differences count again."""
    with session.database() as database:
        with database.engine.connect() as connection:
            keys = _meant(connection, wanted, account)
        with database.connect() as writer:
            lifted = sum(suppression.lift(writer, *key) for key in keys)
    output.stderr.print(f"lifted={lifted}")


@reconciliation.command()
@click.option("--all", "everything", is_flag=True, help="Those that have ended, too.")
@output.list_options
@pass_session
def suppressions(
    session: Session,
    account: str | None,
    limit: int | None,
    format_: str | None,
    output_: Path | None,
    *,
    everything: bool,
) -> None:
    """Numbers whose differences are known and left, until when, and why."""
    query = read_model.suppressions(everything=everything, account=account, limit=limit)
    with session.database() as database:
        output.write_query(database, query, format_, output_, SUPPRESSIONS)


def _meant(connection: Connection, wanted: str, account: str | None) -> list[tuple[str, str]]:
    """
    The numbers that are meant: in the log, or found by a run.

    Of an account that is named, any id; the number may be known to RingCentral alone.
    """
    for named in (read_model.identities, read_model.found_identities):
        try:
            return named(connection, wanted, account=account)
        except read_model.NumberUnknown:
            continue
    if account is not None and is_id(wanted):
        return [(account, wanted)]
    raise read_model.NumberUnknown(wanted)
