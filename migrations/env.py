"""Alembic's entry: migrates the database it is handed, or the one the settings name."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from inventory import migration, schema


def migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=schema.metadata,
        version_table_schema=schema.NAME,
        include_schemas=True,
        include_name=schema.is_ours,
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()


handed: Connection | None = context.config.attributes.get("connection")
if handed is not None:
    migrate(handed)
else:
    from inventory.database import Database
    from inventory.settings import Settings

    with Database.open(Settings()) as database, database.engine.begin() as connection:
        migration.prepare(connection)
        migrate(connection)
