"""
The way to the one PostgreSQL: given by its address, or a private one under the home directory.

Writers take a psycopg connection, for COPY; readers and migrations take SQLAlchemy's.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy
from sqlalchemy.pool import NullPool

from inventory import embedded, migration
from inventory.errors import InventoryError
from inventory.settings import Settings


class DatabaseUnavailable(InventoryError):
    """PostgreSQL could not be reached, or refused us."""

    def __init__(self, reason: str, *, denied: bool = False) -> None:
        super().__init__(f"expected a PostgreSQL that lets us in: {reason}")
        self.denied = denied


class SchemaOutdated(InventoryError):
    """The database's schema is not the one this package works with."""

    def __init__(self, found: str | None, expected: str) -> None:
        super().__init__(
            f"expected schema revision {expected}, found {found or 'none'}; "
            "`inventory db upgrade` brings it there"
        )
        self.found, self.expected = found, expected


@dataclass(frozen=True)
class Database:
    """A PostgreSQL that is up."""

    url: str
    """As libpq and psql take it; may hold a password."""
    binaries: Path | None
    """Where the embedded server's programs are; null for a server given by its address."""

    @classmethod
    @contextmanager
    def open(cls, settings: Settings) -> Iterator[Database]:
        """
        The database that *settings* name, running for as long as the context lasts.

        Raises:
            DatabaseUnavailable: It cannot be reached.
            InventoryError: The embedded server cannot be started; the error says the mend.
        """
        if settings.database_url is not None:
            url = settings.database_url.get_secret_value()
            scheme, separator, rest = url.partition("://")
            if not separator or scheme.split("+")[0] not in {"postgresql", "postgres"}:
                raise DatabaseUnavailable("its address must begin with postgresql://")
            yield cls(f"postgresql://{rest}", None)
        else:
            with embedded.running(settings.home, bindir=settings.pg_bindir) as cluster:
                yield cls(cluster.url, cluster.binaries)

    def connect(self, **options: Any) -> psycopg.Connection:
        """
        A connection of its own; the caller ends its transactions and closes it.

        Raises:
            DatabaseUnavailable: It cannot be made.
        """
        try:
            # The zone, since psycopg hands out instants in the session's. The path, since ours
            # names every object with its schema, and "$user" may be that schema.
            return psycopg.connect(
                self.url,
                application_name="inventory",
                options="-c timezone=UTC -c search_path=public",
                **options,
            )
        except psycopg.OperationalError as error:
            denied = error.sqlstate is not None and error.sqlstate.startswith("28")
            raise DatabaseUnavailable(
                str(error).strip().splitlines()[-1],
                denied=denied or "authentication failed" in str(error),
            ) from None

    @cached_property
    def engine(self) -> sqlalchemy.Engine:
        """For readers and migrations; connections are not kept, PostgreSQL is near."""
        return sqlalchemy.create_engine(
            "postgresql+psycopg://", creator=self.connect, poolclass=NullPool
        )

    def upgrade(self) -> None:
        """
        Bring the schema to this package's revision, and the roles to what they may do.

        Where the user may not create roles and there are none, the schema is the user's own.
        """
        with self.engine.begin() as connection:
            if migration.revision(connection) == migration.head():
                return
            migration.create_roles(connection)
            migration.become_owner(connection)
            migration.upgrade(connection)
            migration.grant_roles(connection)

    def require_schema(self) -> None:
        """
        See that the schema is this package's.

        Raises:
            SchemaOutdated: It is not.
        """
        with self.engine.connect() as connection:
            found, expected = migration.revision(connection), migration.head()
        if found != expected:
            raise SchemaOutdated(found, expected)
