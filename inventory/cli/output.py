"""Rows for people and for programs: a table, JSON, NDJSON or CSV."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, TypeVar

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text
from sqlalchemy import Select

from inventory.database import Database
from inventory.errors import InventoryError
from inventory.printable import printable
from inventory.rows import Row, cell, csv_of, json_of

FORMATS = ("table", "json", "ndjson", "csv")
Function = TypeVar("Function", bound=Callable[..., Any])

stderr = Console(stderr=True, highlight=False)
"""For talk: counts, hints, progress. Never for data."""


class NotWritable(InventoryError):
    """A file cannot be written."""

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(f"expected to write {path}, but: {error.strerror}")


def format_option(function: Function) -> Function:
    """`--format`, and `-o FILE`: how and where a command puts its rows."""
    option = click.option(
        "--format",
        "format_",
        type=click.Choice(FORMATS),
        help="Default: table on a terminal, ndjson in a pipe or a file.",
    )
    output = click.option(
        "-o",
        "output_",
        type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
        help="Write there instead of to standard output.",
    )
    return option(output(function))


def list_options(function: Function) -> Function:
    """The options that every list takes: account, how many, in which form, and where to."""
    account = click.option("--account", metavar="ID", help="Of this account only.")
    limit = click.option("--limit", type=click.IntRange(min=1), help="At most so many rows.")
    return account(limit(format_option(function)))


def write_query(
    database: Database,
    query: Select[Any],
    format_: str | None,
    output: Path | None,
    columns: Sequence[str],
) -> None:
    """Run *query* and write its rows as they come; *columns* are those that a table shows."""
    with database.engine.connect() as connection:
        result = connection.execution_options(yield_per=1000).execute(query)
        write(result.mappings(), list(result.keys()), format_, output, columns)


def write(
    rows: Iterable[Row],
    names: Sequence[str],
    format_: str | None,
    output: Path | None,
    columns: Sequence[str] | None = None,
) -> None:
    """
    Write *rows* in a format.

    Args:
        rows: Mappings that hold at least *names*.
        names: All columns, in order: what JSON and CSV hold.
        format_: One of `FORMATS`; null: a table on a terminal, NDJSON elsewhere.
        output: A file; null or `-`: standard output.
        columns: Those that fit into a table; null: all of them.
    """
    with opened(output) as (stream, terminal):
        chosen = format_ or ("table" if terminal else "ndjson")
        if chosen == "table":
            _table(rows, columns or names, stream)
        elif chosen == "ndjson":
            for row in rows:
                stream.write(json_of(row, names) + "\n")
        elif chosen == "json":
            _json(rows, names, stream)
        else:
            stream.write(csv_of([names]))
            stream.writelines(csv_of([[row[name] for name in names]]) for row in rows)


def is_table(format_: str | None, output: Path | None) -> bool:
    """Whether `write` makes a table of rows."""
    aside = output is not None and str(output) != "-"
    return format_ == "table" or (format_ is None and not aside and sys.stdout.isatty())


def _json(rows: Iterable[Row], names: Sequence[str], stream: IO[str]) -> None:
    separator = "[\n"
    for row in rows:
        stream.write(separator + json_of(row, names))
        separator = ",\n"
    stream.write("\n]\n" if separator == ",\n" else "[]\n")


def _table(rows: Iterable[Row], columns: Sequence[str], stream: IO[str]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        table.add_column(name, overflow="fold")
    for row in rows:
        # Text, not markup: a provider's name may hold brackets.
        table.add_row(*(Text(_shown(row[name])) for name in columns))
    terminal = stream.isatty()
    console = Console(file=stream, highlight=False, width=None if terminal else 200)
    console.print(table)
    console.print(f"({table.row_count} row{'s' * (table.row_count != 1)})", style="dim")


def _shown(value: Any) -> str:
    """
    *value* for a person: an instant to the second, in UTC, and nothing for null.

    Printable, since others wrote it, and what is printed may order a terminal about.
    """
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    return printable(str(cell(value)))


@contextmanager
def opened(output: Path | None) -> Iterator[tuple[IO[str], bool]]:
    """
    Where to write, and whether that is a terminal: a file; null or `-`: standard output.

    Raises:
        NotWritable: The file cannot be opened.
    """
    if output is None or str(output) == "-":
        yield sys.stdout, sys.stdout.isatty()
        sys.stdout.flush()
        return
    try:
        file = output.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise NotWritable(output, error) from None
    with file as stream:
        yield stream, False
