"""`inventory db`: the database itself."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import click

from inventory import distribution, migration, read_model
from inventory.cli import output
from inventory.cli.session import Session, pass_session
from inventory.database import Database
from inventory.errors import InventoryError


class NoPsql(InventoryError):
    """There is no psql to open."""

    def __init__(self) -> None:
        super().__init__("expected psql on the PATH, found none; install your system's client")


class RolesMissing(InventoryError):
    """The roles are not there, and cannot be made."""

    def __init__(self) -> None:
        super().__init__(
            f"expected the roles {', '.join(migration.ROLES)}; have a superuser run "
            "`inventory db roles`, or create them with NOLOGIN"
        )


@click.group()
def db() -> None:
    """The PostgreSQL that holds the log: the embedded one, or yours."""


@db.command()
@pass_session
def upgrade(session: Session) -> None:
    """Bring the schema to this version, and the roles to what they may do."""
    with Database.open(session.settings) as database:
        database.upgrade()
        with database.engine.connect() as connection:
            output.stderr.print(f"schema at revision {migration.revision(connection)}")


@db.command()
@output.format_option
@pass_session
def status(session: Session, format_: str | None, output_: Path | None) -> None:
    """Where the schema stands, and how current each account's inventory is."""
    with Database.open(session.settings) as database:
        with database.engine.connect() as connection:
            version = connection.exec_driver_sql("SHOW server_version").scalar()
            found = migration.revision(connection)
        expected = migration.head()
        place = "embedded" if database.binaries else "given by its address"
        output.stderr.print(f"PostgreSQL {version}, {place}")
        output.stderr.print(
            f"schema at revision {found or 'none'}"
            + (
                ""
                if found == expected
                else f", this program needs {expected}: `inventory db upgrade`"
            )
        )
        if found == expected:
            query = read_model.freshness()
            columns = (
                "account_id",
                "head",
                "lag_events",
                "last_notification_at",
                "open_quarantine",
            )
            output.write_query(database, query, format_, output_, columns)


@db.command()
@pass_session
def url(session: Session) -> None:
    """The database's address, as psql takes it. The embedded one is up while it is used."""
    with Database.open(session.settings) as database:
        click.echo(database.url)


@db.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@pass_session
def psql(session: Session, arguments: tuple[str, ...]) -> None:
    """Open psql on the database; ARGUMENTS are psql's own, such as -c SQL."""
    with session.database() as database:
        beside = database.binaries / "psql" if database.binaries else None
        program = str(beside) if beside and beside.exists() else shutil.which("psql")
        if program is None:
            raise NoPsql
        # The password, if there is one, must not show in the list of processes.
        environment = os.environ | {"PGOPTIONS": "-c search_path=inventory,public"}
        address, password = _without_password(database.url)
        if password is not None:
            environment["PGPASSWORD"] = password
        done = subprocess.run([program, address, *arguments], env=environment, check=False)
    sys.exit(done.returncode)


@db.command()
@pass_session
def roles(session: Session) -> None:
    """
    Create the roles owner, app and reader, and grant each what it may do.

    On a server where there is no schema yet, they are there for a dump to be restored.
    """
    with Database.open(session.settings) as database:
        with database.engine.begin() as connection:
            if not migration.create_roles(connection):
                output.stderr.print("this user may not create roles: grants only")
            if migration.revision(connection) is None:
                output.stderr.print("no schema to grant on: restore one, or `inventory db upgrade`")
                return
        database.require_schema()
        with database.engine.begin() as connection:
            if not migration.grant_roles(connection):
                raise RolesMissing
        for role, purpose in migration.ROLES.items():
            output.stderr.print(f"{role}: {purpose}")


@db.command()
@pass_session
def distribute(session: Session) -> None:
    """
    Spread the tables over a Citus cluster's nodes by account; what is spread already stays.

    On the coordinator, as a superuser, and again after an upgrade. Others wait while rows move.
    """
    with Database.open(session.settings) as database:
        database.require_schema()
        with database.connect() as connection:
            done = distribution.distribute(connection)
            nodes = distribution.nodes(connection)
    for line in done or ["nothing to do: all is distributed"]:
        output.stderr.print(line)
    output.stderr.print(f"shards on {nodes} {'node' if nodes == 1 else 'nodes'}")


def _without_password(url: str) -> tuple[str, str | None]:
    """*url* less its password, and the password."""
    scheme, _, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    user, at, host = authority.rpartition("@")
    name, colon, password = user.partition(":")
    if not colon:
        return url, None
    return f"{scheme}://{name}{at}{host}{slash}{path}", unquote(password)
