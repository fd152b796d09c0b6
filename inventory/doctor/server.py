"""The PostgreSQL: may it be written, is it one we know, and does what is committed stay so?"""

from __future__ import annotations

from typing import NamedTuple

from psycopg import Connection
from psycopg.rows import class_row

from inventory.doctor.judgement import Judgement, failed, ok, together, warning

OLDEST, NEWEST = 15, 18
"""Major versions of PostgreSQL that the tests run on."""

# Not what the session has: the examination's own may not write.
SERVER = """
SELECT
    current_setting('server_version') AS version,
    current_setting('server_version_num')::int / 10000 AS major,
    pg_is_in_recovery() AS standby,
    (
        SELECT reset_val = 'on'
        FROM pg_settings
        WHERE name = 'default_transaction_read_only'
    ) AS read_only
"""
CARELESS = """
SELECT name, source
FROM pg_settings
WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit')
  AND setting = 'off'
ORDER BY name
"""
CONSEQUENCES = {
    "fsync": "a crash of the machine can lose the whole log",
    "full_page_writes": "a crash of the machine can leave torn pages in the log",
    "synchronous_commit": "a crash loses notifications that were acknowledged",
}


class Server(NamedTuple):
    """What a server says of itself."""

    version: str
    major: int
    standby: bool
    read_only: bool
    """Whether our user's transactions are, unless they say otherwise."""


class Careless(NamedTuple):
    """A setting that is off, and from where."""

    name: str
    source: str
    """As in `pg_settings`."""


def read_server(connection: Connection) -> Server:
    """What it is that we are connected to."""
    with connection.cursor(row_factory=class_row(Server)) as cursor:
        return cursor.execute(SERVER).fetchall()[0]


def judge_server(server: Server, *, embedded: bool) -> Judgement:
    """Whether the log can be kept there."""
    place = "embedded" if embedded else "given by its address"
    what = f"PostgreSQL {server.version}, {place}"
    if server.major < OLDEST:
        return failed(f"{what}: older than {OLDEST}", f"upgrade it to {NEWEST}")
    if server.standby:
        return failed(
            f"{what}: a standby, which can be read only",
            "set INVENTORY_DATABASE_URL to its primary",
        )
    if server.read_only:
        return failed(
            f"{what}: default_transaction_read_only is on for our user",
            "take default_transaction_read_only from the user, the database or the server",
        )
    if server.major > NEWEST:
        return warning(
            f"{what}: newer than {NEWEST}, the newest that was tested",
            "upgrade inventory",
        )
    return ok(what)


def judge_schema(found: str | None, expected: str, *, known: bool) -> Judgement:
    """
    Whether the schema is the one this program works with.

    Args:
        found: The database's revision; null: it has none.
        expected: The program's newest.
        known: Whether the program has heard of the one found.
    """
    if found == expected:
        return ok(f"at revision {found}")
    what = f"at revision {found or 'none'}, this program needs {expected}"
    if found is not None and not known:
        return failed(f"{what}: the schema is of a newer program", "upgrade this program")
    return failed(what, "`inventory db upgrade`")


def read_careless(connection: Connection) -> list[Careless]:
    """The settings, among those that durability hangs on, that are off."""
    with connection.cursor(row_factory=class_row(Careless)) as cursor:
        return cursor.execute(CARELESS).fetchall()


def judge_durability(careless: list[Careless]) -> Judgement:
    """Whether what was acknowledged survives a crash."""
    return together(
        (failed(f"{c.name} is off: {CONSEQUENCES[c.name]}", _mend(c)) for c in careless),
        "what is committed is on the disk",
    )


def _mend(careless: Careless) -> str:
    """How to have it on again, depending on where it is set."""
    name = careless.name
    if careless.source == "command line":
        return f"start the server without `{name}=off` on its command line"
    if careless.source in {"user", "database", "database user"}:
        return f"take {name} from the {careless.source}: ALTER … RESET {name}"
    return f"ALTER SYSTEM SET {name} = on, then SELECT pg_reload_conf()"
