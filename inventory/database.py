"""
The way to the one PostgreSQL: given by its address, or a private one under the home directory.

Writers take a psycopg connection, for COPY; readers and migrations take SQLAlchemy's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy
from sqlalchemy.pool import NullPool

from inventory import distribution, embedded, migration
from inventory.errors import InventoryError
from inventory.settings import InvalidSettings, Settings

# From PostgreSQL 16 on, a member may or may not be allowed to act as the role. A role that was
# never given anything here is no use to us, whatever it may do in other databases of the server.
BECOME = """
SELECT set_config('role', rolname, false)
FROM pg_roles
WHERE rolname = %(role)s
  AND pg_has_role(rolname, %(membership)s)
  AND has_schema_privilege(rolname, to_regnamespace('inventory')::oid, 'USAGE')
"""

SNAPSHOTS = "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
# What libpq takes for a host or a port is shown when it is none, be it the rest of a password.
# For libpq a # is no end of either.
_HOST = r"(?:\[[^\]/?#]*\]|[^:@/?#,\[\]]*)(?::[0-9]*)?"
_ADDRESS = re.compile(
    rf"postgresql://(?:[^@/?#]*@)?{_HOST}(?:,{_HOST})*(?:[/?].*)?", re.DOTALL
).fullmatch

READ_WITHIN = "30s"
"""What a statement of a reader may take."""
CONNECT_WITHIN = 2
"""Seconds that somebody who waits for an answer waits for a connection; the least libpq knows."""


class DatabaseUnavailable(InventoryError):
    """PostgreSQL could not be reached, or refused us."""

    def __init__(self, reason: str, *, denied: bool = False) -> None:
        super().__init__(f"expected a PostgreSQL that lets us in: {reason}")
        self.denied = denied


class AddressUnreadable(InvalidSettings):
    """libpq cannot read the address. It says where it stumbled, and that may be the password."""

    def __init__(self) -> None:
        super().__init__(
            "INVENTORY_DATABASE_URL: expected postgresql://user:password@host:port/database, with "
            "percent-encoding, got what libpq cannot read"
        )


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
    role: str | None = None
    """Whom connections act as, where the user may; null, or where not: the user."""

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
            AddressUnreadable: There is no telling where to.
            DatabaseUnavailable: It cannot be made.
        """
        if _ADDRESS(self.url) is None:
            raise AddressUnreadable
        try:
            # The zone, since psycopg hands out instants in the session's. The path, since ours
            # names every object with its schema, and "$user" may be that schema.
            connection = psycopg.connect(
                self.url,
                application_name="inventory",
                options="-c timezone=UTC -c search_path=public",
                **options,
            )
            if self.role is not None:
                self._become(connection, self.role)
        except psycopg.OperationalError as error:
            denied = error.sqlstate is not None and error.sqlstate.startswith("28")
            raise DatabaseUnavailable(
                str(error).strip().splitlines()[-1].strip(),
                denied=denied or "authentication failed" in str(error),
            ) from None
        except (psycopg.ProgrammingError, UnicodeError) as error:
            if isinstance(error, psycopg.Error) and error.sqlstate is not None:
                raise
            raise AddressUnreadable from None
        return connection

    def acting_as(self, role: str) -> Database:
        """The same database, met with the rights of *role* and no more, where the user may."""
        return replace(self, role=role)

    def _become(self, connection: psycopg.Connection, role: str) -> None:
        membership = "SET" if connection.info.server_version >= 160000 else "MEMBER"
        connection.execute(BECOME, {"role": role, "membership": membership})
        if not connection.autocommit:
            connection.commit()

    def connect_reading(self) -> psycopg.Connection:
        """
        A connection that can write nothing, in autocommit mode: as a reader, where that role is
        ours to be, in read-only transactions, no statement longer than `READ_WITHIN`.
        """
        connection = self.acting_as("inventory_reader").connect(autocommit=True)
        connection.execute(SNAPSHOTS)
        connection.execute(f"SET statement_timeout = '{READ_WITHIN}'")
        return connection

    @cached_property
    def engine(self) -> sqlalchemy.Engine:
        """For readers and migrations; connections are not kept, PostgreSQL is near."""
        return sqlalchemy.create_engine(
            "postgresql+psycopg://", creator=self.connect, poolclass=NullPool
        )

    def snapshots(self, connections: int) -> sqlalchemy.Engine:
        """
        For many short reads at once, over so many connections at most, which are kept.

        Each transaction sees the database as of one moment and writes nothing; no statement takes
        longer than `READ_WITHIN`.
        """

        def connect() -> psycopg.Connection:
            connection = self.connect(connect_timeout=CONNECT_WITHIN, autocommit=True)
            connection.execute(SNAPSHOTS)
            connection.execute(f"SET statement_timeout = '{READ_WITHIN}'")
            connection.autocommit = False
            return connection

        return sqlalchemy.create_engine(
            "postgresql+psycopg://",
            creator=connect,
            pool_size=connections,
            max_overflow=0,
            hide_parameters=True,  # what people look for is not for logs
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
            distribution.keep_local(connection)
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
