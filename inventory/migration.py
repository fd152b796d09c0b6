"""
Bringing a database to this package's schema: Alembic's migrations, run in the caller's transaction.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import alembic.command
import alembic.config
import alembic.migration
import alembic.script
from sqlalchemy import Connection, text

from inventory.schema import NAME


def migrations() -> Path:
    """Where the migrations lie: in the wheel inside the package, in a checkout beside it."""
    packaged = Path(str(files("inventory"))) / "migrations"
    return packaged if packaged.is_dir() else packaged.parent.parent / "migrations"


def prepare(connection: Connection) -> None:
    """Make the schema that the migrations, and Alembic's own table, live in."""
    connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {NAME}"))
    connection.execute(
        text(f"COMMENT ON SCHEMA {NAME} IS 'RingCentral Contact Center phone numbers'")
    )


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Bring the schema to *revision*, in the caller's transaction; at it already: do nothing."""
    prepare(connection)
    alembic.command.upgrade(_config(connection), revision)


def downgrade(connection: Connection, revision: str = "base") -> None:
    """Take the schema back to *revision*, in the caller's transaction. Drops what it holds."""
    alembic.command.downgrade(_config(connection), revision)


def revision(connection: Connection) -> str | None:
    """The revision that the database is at; null: never migrated."""
    context = alembic.migration.MigrationContext.configure(
        connection, opts={"version_table_schema": NAME}
    )
    return context.get_current_revision()


def head() -> str:
    """The newest revision this package carries."""
    found = alembic.script.ScriptDirectory(str(migrations())).get_current_head()
    assert found is not None  # noqa: S101 - the package carries its migrations
    return found


def _config(connection: Connection) -> alembic.config.Config:
    config = alembic.config.Config()
    config.set_main_option("script_location", str(migrations()))
    config.attributes["connection"] = connection
    return config
