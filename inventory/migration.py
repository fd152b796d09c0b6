"""
Bringing a database to this package's schema: Alembic's migrations, run in the caller's transaction.

Alembic is imported when something is to be migrated: every command looks at the revision, hardly
any has to change it.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text

from inventory.errors import InventoryError
from inventory.schema import NAME

if TYPE_CHECKING:
    from alembic.config import Config


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
    from alembic import command  # noqa: PLC0415 - see above

    prepare(connection)
    command.upgrade(_config(connection), revision)


def downgrade(connection: Connection, revision: str = "base") -> None:
    """Take the schema back to *revision*, in the caller's transaction. Drops what it holds."""
    from alembic import command  # noqa: PLC0415 - see above

    command.downgrade(_config(connection), revision)


def revision(connection: Connection) -> str | None:
    """The revision that the database is at; null: never migrated."""
    if connection.scalar(text("SELECT to_regclass('inventory.alembic_version')")) is None:
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM inventory.alembic_version"))
    return found


def head() -> str:
    """The newest revision this package carries."""
    return max(_revisions())


def is_known(revision: str | None) -> bool:
    """Whether this package carries *revision*; one that it does not is a newer package's."""
    return revision in _revisions()


def _revisions() -> list[str]:
    """Those this package carries, by the names of their files: numbers, one after the other."""
    versions = (migrations() / "versions").glob("[0-9]*.py")
    return [path.name.partition("_")[0] for path in versions]


def _config(connection: Connection) -> Config:
    from alembic.config import Config  # noqa: PLC0415 - see above

    config = Config()
    config.set_main_option("script_location", str(migrations()))
    config.attributes["connection"] = connection
    return config


class NotTheOwner(InventoryError):
    """Rights in the schema were to be granted by somebody who has none to give."""

    def __init__(self, user: str, owner: str) -> None:
        super().__init__(
            f"expected a user who may act as {owner}, the schema's owner, found {user}; "
            "nothing was granted"
        )


ROLES = {
    "inventory_owner": "owns the schema, and runs migrations and rebuilds",
    "inventory_app": "appends and projects",
    "inventory_reader": "reads; in read-only transactions, each statement for 30 s at the most",
}


def create_roles(connection: Connection) -> bool:
    """
    Create the roles that are not there yet. False: the connection's user may not create roles.

    Roles belong to the server: other databases' upgrades may be creating the same ones right now.
    """
    creates, superuser = connection.execute(
        text("SELECT rolcreaterole, rolsuper FROM pg_roles WHERE rolname = current_user")
    ).one()
    if not creates and not superuser:
        return False
    connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('inventory.roles', 0))"))
    for role, purpose in ROLES.items():
        if not connection.scalar(text("SELECT true FROM pg_roles WHERE rolname = :r"), {"r": role}):
            connection.execute(text(f"CREATE ROLE {role} NOLOGIN"))
            connection.execute(text(f"COMMENT ON ROLE {role} IS 'inventory: {purpose}'"))
            if role == "inventory_owner" and not superuser:
                # Whoever creates a role may give it away, and is not thereby allowed to be it.
                connection.execute(text(f"GRANT {role} TO CURRENT_USER"))
    connection.execute(text("ALTER ROLE inventory_reader SET default_transaction_read_only = on"))
    connection.execute(text("ALTER ROLE inventory_reader SET statement_timeout = '30s'"))
    return True


# From PostgreSQL 16 on, a member may or may not be allowed to act as the role.
MAY_BECOME_OWNER = """
SELECT pg_has_role(
    oid,
    CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END
)
FROM pg_roles
WHERE rolname = 'inventory_owner'
"""


def become_owner(connection: Connection) -> None:
    """
    Let what this transaction creates belong to `inventory_owner`, if that role is ours to be.

    A view runs with its owner's rights, and a table's owner can lift its triggers: neither should
    be a superuser's by accident.
    """
    if connection.scalar(text(MAY_BECOME_OWNER)):
        database = connection.scalar(text("SELECT quote_ident(current_database())"))
        connection.execute(text(f"GRANT CREATE ON DATABASE {database} TO inventory_owner"))
        connection.execute(text("SET LOCAL ROLE inventory_owner"))


def grant_roles(connection: Connection) -> bool:
    """
    Give each role what it may do, and no more. False: there are no such roles.

    Raises:
        NotTheOwner: The connection's user may not grant anything here.
    """
    wanted = list(ROLES)
    there = connection.scalar(
        text("SELECT count(*) FROM pg_roles WHERE rolname = ANY(:names)"), {"names": wanted}
    )
    if there != len(wanted):
        return False
    # PostgreSQL merely warns of a grant that somebody else's user makes, and does nothing.
    owner, user, may = connection.execute(
        text(
            "SELECT nspowner::regrole::text, current_user, pg_has_role(nspowner, 'MEMBER')"
            " FROM pg_namespace WHERE nspname = 'inventory'"
        )
    ).one()
    if not may:
        raise NotTheOwner(user, owner)
    connection.execute(
        text((migrations() / "sql" / "roles.sql").read_text(encoding="utf-8").replace(":", "\\:"))
    )
    return True
