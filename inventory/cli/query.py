"""`inventory query`: a question in SQL, by somebody who can change nothing with it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from itertools import chain, count, islice
from pathlib import Path
from typing import Any

import click
import psycopg
from psycopg.types.string import TextLoader

from inventory.cli import output
from inventory.cli.session import Session, pass_session
from inventory.database import READ_WITHIN
from inventory.errors import InventoryError

AS_POSTGRESQL_WRITES_THEM = (
    *("date", "time", "timetz", "timestamp", "interval", "uuid", "inet", "cidr"),
    *("int4range", "int8range", "numrange", "tsrange", "tstzrange", "daterange"),
    *("int4multirange", "int8multirange", "nummultirange", "tsmultirange", "tstzmultirange"),
    *("datemultirange",),
)
"""Types whose values JSON has no form for."""


class NoAnswerInTime(InventoryError):
    """A query took too long."""

    def __init__(self) -> None:
        super().__init__(
            f"expected an answer within {READ_WITHIN}, and there was none; ask for less, or open "
            "`inventory db psql`, which waits"
        )


@click.command()
@click.argument("sql")
@output.format_option
@pass_session
def query(session: Session, sql: str, format_: str | None, output_: Path | None) -> None:
    """
    Run one statement of SQL and write its rows; `-` reads it from standard input.

    As inventory_reader where you may be that, else as yourself; either way in a read-only
    transaction, for 30 seconds at most. Names need no schema before them.
    """
    statement = sys.stdin.read() if sql == "-" else sql
    if not statement.strip():
        raise click.UsageError("expected a statement of SQL, found none")
    if statement.split(maxsplit=1)[0].upper() == "COPY":
        raise click.UsageError(
            "expected a statement that gives rows; --format csv writes them as CSV"
        )
    with session.database() as database, database.connect_reading() as connection:
        connection.execute("SET search_path = inventory, public")
        for name in AS_POSTGRESQL_WRITES_THEM:
            connection.adapters.register_loader(name, TextLoader)
        try:
            _run(connection, statement, format_, output_)
        except psycopg.errors.QueryCanceled:
            raise NoAnswerInTime from None


def _run(
    connection: psycopg.Connection, statement: str, format_: str | None, output_: Path | None
) -> None:
    with connection.cursor() as cursor:
        # Rows are written as they come, and memory holds one of them. The first is waited for, so
        # that what is wrong with the statement is said before a file is emptied.
        rows = cursor.stream(statement.encode())
        first = _first(rows)
        if not first:
            # Then nothing tells its columns, but to run it whole.
            cursor.execute(statement.encode())
        if cursor.description is None:
            output.stderr.print(cursor.statusmessage)
            return
        names = _apart([column.name for column in cursor.description])
        found = (dict(zip(names, row, strict=True)) for row in chain(first, rows))
        output.write(found, names, format_, output_)


def _first(rows: Iterator[Any]) -> list[Any]:
    """The first of *rows*, if there is one."""
    try:
        return list(islice(rows, 1))
    except psycopg.ProgrammingError as error:
        if error.sqlstate is not None:
            raise
        return []  # a statement that has no rows, such as SET


def _apart(names: Sequence[str]) -> list[str]:
    """
    *names*, each once: a later one of the same name is numbered, for JSON has room for one.

    >>> _apart(["count", "count", "count_2", "count"])
    ['count', 'count_2', 'count_2_2', 'count_3']
    """
    apart: list[str] = []
    for name in names:
        others = (f"{name}_{number}" for number in count(2))
        apart.append(next(each for each in chain([name], others) if each not in apart))
    return apart
