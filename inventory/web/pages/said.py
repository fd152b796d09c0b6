"""A page in other words: as a command, as SQL, as an address of the read API."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from psycopg import sql

from inventory.web.words import iso


class Said(NamedTuple):
    """What gives what a page shows, elsewhere."""

    cli: str
    sql: str
    api: str | None
    """Path and query; null: the read API has no such thing."""

    @property
    def csv(self) -> str | None:
        """The same address, for all the rows as CSV."""
        return self._as("csv")

    @property
    def ndjson(self) -> str | None:
        """The same address, for all the rows as NDJSON."""
        return self._as("ndjson")

    def _as(self, form: str) -> str | None:
        return self.api and f"{self.api}{'&' if '?' in self.api else '?'}format={form}"


def command(*words: str, **options: str | datetime | None) -> str:
    """
    An `inventory` command that a shell takes as it is; options that are null are left out.

    >>> command("number", "list", provider="Tom & Co", status="", account=None)
    "inventory number list --provider 'Tom & Co' --status ''"
    """
    line = ["inventory", *words]
    for name, value in options.items():
        if value is not None:
            line += [f"--{name.replace('_', '-')}", _plain(value)]
    return shlex.join(line)


def by_query(statement: str) -> str:
    """The command for what no other command shows."""
    return shlex.join(["inventory", "query", " ".join(statement.split())])


def query(
    source: str, conditions: Sequence[str], order: str, *, columns: str = "*", group: str = ""
) -> str:
    """A statement that a person would write."""
    where = ("WHERE " + "\n  AND ".join(conditions),) if conditions else ()
    grouped = (f"GROUP BY {group}",) if group else ()
    return "\n".join(
        (f"SELECT {columns}", f"FROM inventory.{source}", *where, *grouped, f"ORDER BY {order};")
    )


def equal(**wanted: str | None) -> list[str]:
    """
    A condition for each column that something is wanted of; an empty text: that it has none.

    >>> equal(provider_id="7", status=None, location="")
    ["provider_id = '7'", "coalesce(location, '') = ''"]
    """
    return [
        f"{name} = {literal(value)}" if value else f"coalesce({name}, '') = ''"
        for name, value in wanted.items()
        if value is not None
    ]


def within(column: str, since: datetime | None, until: datetime | None) -> list[str]:
    """A condition for each edge of [since, until) that there is."""
    edges = []
    if since is not None:
        edges.append(f"{column} >= {literal(since)}")
    if until is not None:
        edges.append(f"{column} < {literal(until)}")
    return edges


def as_of(at: datetime | None, known_at: datetime | None) -> str | None:
    """The inventory as of two clocks, as a source of rows; null: it is asked for as of now."""
    clocks = [
        f"{name} => {literal(instant)}"
        for name, instant in (("at", at), ("known_at", known_at))
        if instant is not None
    ]
    return f"number_as_of({', '.join(clocks)})" if clocks else None


def literal(value: str | datetime) -> str:
    """*value* as SQL writes it."""
    return sql.Literal(_plain(value)).as_string(None).strip()


def _plain(value: str | datetime) -> str:
    return iso(value) if isinstance(value, datetime) else value
