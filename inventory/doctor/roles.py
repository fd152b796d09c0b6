"""The roles: that they are there, what readers' sessions begin with, and whom we are."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import NamedTuple

from psycopg import Connection
from psycopg.rows import class_row

from inventory import migration
from inventory.doctor.judgement import Judgement, failed, ok, skipped, together, warning

APP, READER = "inventory_app", "inventory_reader"
BOUNDS = {
    "statement_timeout": ("'30s'", r"(?=.*[1-9]).*"),
    "default_transaction_read_only": ("on", r"on|true|yes|1"),
}
"""What bounds a reader: each setting's proper value, and which values bound at all."""

ROLES = """
SELECT role.rolname::text, (
    SELECT superuser.rolname::text
    FROM pg_roles AS superuser
    WHERE superuser.rolsuper AND pg_has_role(role.oid, superuser.oid, 'MEMBER')
    ORDER BY superuser.oid <> role.oid, superuser.rolname
    LIMIT 1
)
FROM pg_roles AS role
WHERE role.rolname = ANY(%(names)s)
"""

# The database's own come last, and win.
LIMITS = """
SELECT
    split_part(config, '=', 1) AS name,
    substr(config, strpos(config, '=') + 1) AS value,
    quote_ident(datname) AS database
FROM pg_roles
JOIN pg_db_role_setting ON setrole = pg_roles.oid
CROSS JOIN unnest(setconfig) AS config
LEFT JOIN pg_database ON pg_database.oid = setdatabase
WHERE rolname = %(role)s AND coalesce(datname, current_database()) = current_database()
ORDER BY setdatabase
"""

USER = """
SELECT
    rolname::text AS name,
    (
        SELECT bool_or(rolsuper AND pg_has_role(oid, 'MEMBER'))
        FROM pg_roles
    ) AS superuser,
    pg_has_role(
        (SELECT relowner FROM pg_class WHERE oid = 'inventory.event'::regclass), 'MEMBER'
    ) AS owner,
    has_table_privilege('inventory.event', 'INSERT') AS appends
FROM pg_roles
WHERE rolname = current_user
"""


class Limit(NamedTuple):
    """A setting that readers' sessions begin with."""

    name: str
    value: str
    database: str | None
    """The database it is for; null: every one of the server."""


class User(NamedTuple):
    """Whom we are connected as."""

    name: str
    superuser: bool
    """Whether it is one, or can turn into one."""
    owner: bool
    """Whether it is the owner of the log, or can turn into it."""
    appends: bool


def read_roles(connection: Connection) -> dict[str, str | None]:
    """The roles that there are of the three, each with the superuser it can turn into, if any."""
    rows = connection.execute(ROLES, {"names": list(migration.ROLES)})
    return {row[0]: row[1] for row in rows}


def read_limits(connection: Connection) -> dict[str, Limit]:
    """The settings that readers' sessions begin with, by name."""
    with connection.cursor(row_factory=class_row(Limit)) as cursor:
        return {limit.name: limit for limit in cursor.execute(LIMITS, {"role": READER})}


def read_user(connection: Connection) -> User:
    """Whom we are connected as."""
    with connection.cursor(row_factory=class_row(User)) as cursor:
        return cursor.execute(USER).fetchall()[0]


def judge_roles(roles: Collection[str]) -> Judgement:
    """Whether the three are there; without them the schema's user can lift its own bars."""
    missing = [role for role in migration.ROLES if role not in roles]
    if missing:
        return warning(
            f"there is no role {', '.join(missing)}: nothing but triggers guards the log",
            "`inventory db roles`, as a user who may create roles",
        )
    return ok(f"{', '.join(migration.ROLES)} are there")


def judge_limits(roles: Collection[str], limits: Mapping[str, Limit]) -> Judgement:
    """Whether a reader's session is read-only, and its statements end; mends are SQL."""
    if READER not in roles:
        return skipped(f"there is no role {READER}")
    flaws = [
        warning(f"{READER} has no {name}", _set(limits.get(name), name, value))
        for name, (value, bounds) in BOUNDS.items()
        if name not in limits or not re.fullmatch(bounds, limits[name].value)
    ]
    return together(
        flaws, ", ".join(f"{name} = {limits[name].value}" for name in BOUNDS if name in limits)
    )


def _set(limit: Limit | None, name: str, value: str) -> str:
    # One that is for this database goes before one that is for all.
    where = "" if limit is None or limit.database is None else f" IN DATABASE {limit.database}"
    return f"ALTER ROLE {READER}{where} SET {name} = {value}"


def judge_user(user: User, *, embedded: bool) -> Judgement:
    """Whether we may append, and no more than that."""
    if not user.appends:
        return failed(f"{user.name} may not append to the log", f'GRANT {APP} TO "{user.name}"')
    if embedded:
        return ok(f"{user.name}, whom only this machine's user can be")
    if user.superuser or user.owner:
        what = "a superuser" if user.superuser else "the owner of the log"
        return warning(
            f"{user.name} is {what}, or can turn into it, and so can lift the bars of the log",
            f"set INVENTORY_DATABASE_URL to a user of its own: CREATE ROLE … LOGIN IN ROLE {APP}; "
            "upgrade with `inventory --database-url … db upgrade`",
        )
    return ok(f"{user.name}, who appends and projects")
