"""`inventory token`: who may use the read API."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import click

from inventory import access, read_model
from inventory.cli import output
from inventory.cli.parameters import DURATION
from inventory.cli.session import Session, pass_session
from inventory.rows import plain

COLUMNS = ("id", "name", "scopes", "created_at", "expires_at", "revoked_at")


@click.group()
def token() -> None:
    """Bearer tokens of the read API. What is kept of one tells nobody what it is."""


@token.command()
@click.argument("name")
@click.option(
    "--scope",
    type=click.Choice(access.SCOPES),
    default="read",
    show_default=True,
    help="What its bearer may do; who may operate may read.",
)
@click.option("--expires", type=DURATION, help="How long it is valid: 90d; for ever if left out.")
@pass_session
def create(session: Session, name: str, scope: access.Scope, expires: timedelta | None) -> None:
    """Make a token for whoever is called NAME, and print it: now, and never again."""
    if not name.strip():
        raise click.BadParameter("expected who or what is to use it, found nothing")
    with session.database() as database, database.connect() as connection:
        secret, bearer = access.create(connection, name, scope, expires_in=expires)
        connection.commit()
    click.echo(secret)
    until = plain(bearer.expires_at) if bearer.expires_at else "for ever"
    output.stderr.print(f"id={bearer.id} scope={scope} valid until {until}", markup=False)


@token.command("list")
@output.format_option
@pass_session
def list_(session: Session, format_: str | None, output_: Path | None) -> None:
    """Every token: whose it is, what it is for, and until when it is valid."""
    with session.database() as database:
        output.write_query(database, read_model.tokens(), format_, output_, COLUMNS)


@token.command()
@click.argument("ids", metavar="ID...", nargs=-1, required=True, type=int)
@pass_session
def revoke(session: Session, ids: tuple[int, ...]) -> None:
    """Let tokens be valid no more; a server that runs may accept one for two seconds yet."""
    with session.database() as database, database.connect() as connection:
        access.revoke(connection, ids)
        connection.commit()
    output.stderr.print(f"revoked={len(ids)}")
