"""A bundle: one SQLite file of evidence, made once, and read by whoever doubts it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from inventory.audit import layout
from inventory.audit.digest import Digest, digest
from inventory.audit.layout import Row, Table
from inventory.errors import InventoryError


class NoBundle(InventoryError):
    """A file is no bundle of evidence."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"expected a bundle that `inventory audit report --format sqlite` wrote, got {path}: "
            f"{reason}"
        )


class NotWritten(InventoryError):
    """A bundle could not be written."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"expected to write {path}, but: {reason}")


class Bundle:
    """An open bundle. Whatever is in one that was given to us is a stranger's."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def insert(self, table: Table, rows: Iterable[Row]) -> None:
        """Put *rows* in, their values as `layout.stored` has them."""
        places = ", ".join("?" * len(table.columns))
        self._connection.executemany(f"INSERT INTO {table.name} VALUES ({places})", rows)

    def rows(self, table: Table, **equal: Any) -> Iterator[Row]:
        """The rows of *table* whose columns *equal* these values, in the order of its key."""
        conditions = " AND ".join(f"{name} = :{name}" for name in equal) or "true"
        return self._connection.execute(
            f"SELECT {', '.join(table.names)} FROM {table.name} WHERE {conditions} "
            f"ORDER BY {', '.join(table.key)}",
            equal,
        )

    def digest(self, table: Table) -> Digest:
        """The count and the hash of the rows of *table*."""
        return digest(table, self.rows(table))

    def count(self, table: Table) -> int:
        """How many rows *table* has."""
        ((count,),) = self.query(f"SELECT count(*) FROM {table.name}")
        return int(count)

    def manifest(self) -> dict[str, str]:
        """The manifest, by its names."""
        return dict(self.rows(layout.MANIFEST))

    def query(self, query: str, *parameters: Any) -> list[Row]:
        """The rows of a query of ours."""
        return self._connection.execute(query, parameters).fetchall()

    def named(self, query: str) -> Iterator[dict[str, Any]]:
        """The rows of a query of ours, by the names of their columns, as they are asked for."""
        cursor = self._connection.execute(query)
        names = [column[0] for column in cursor.description]
        return (dict(zip(names, row, strict=True)) for row in cursor)

    def schema(self) -> set[str]:
        """Every statement that made something in it, and the names of what has none."""
        return {text for (text,) in self.query(_SCHEMA)}

    def faults(self) -> list[str]:
        """What SQLite finds wrong with the file: an index that hides a row of its table, say."""
        return [text for (text,) in self.query("PRAGMA integrity_check(10)") if text != "ok"]


# What a primary key needs, SQLite makes itself, without a statement.
_SCHEMA = """
SELECT coalesce(sql, name)
FROM sqlite_master
WHERE NOT (type = 'index' AND name LIKE 'sqlite_autoindex_%' AND sql IS NULL)
"""
_FORMAT = "SELECT value FROM manifest WHERE name = 'format'"


@contextmanager
def created(path: Path) -> Iterator[Bundle]:
    """
    An empty bundle to be filled, which is at *path* when the context ends, whole or not at all.

    Raises:
        NotWritten: No file can be made there.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        part.unlink(missing_ok=True)
        connection = sqlite3.connect(part, isolation_level=None)
        # A crash leaves a part that nobody takes for the whole.
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
    except (OSError, sqlite3.Error) as error:
        raise NotWritten(path, str(error)) from None
    try:
        with closing(connection):
            connection.execute("BEGIN")
            for statement in layout.SCHEMA:
                connection.execute(statement)
            yield Bundle(connection)
            connection.execute("COMMIT")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def opened(path: Path) -> Iterator[Bundle]:
    """
    The bundle at *path*, read-only.

    Raises:
        NoBundle: There is none.
    """
    if not path.is_file():
        raise NoBundle(path, "there is no such file")
    try:
        uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            # What a stranger's file says of itself is not run, and its bytes need not be text.
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
            bundle = Bundle(connection)
            if layout.FORMAT not in {row[0] for row in bundle.query(_FORMAT)}:
                raise NoBundle(path, f"it does not say that it is {layout.FORMAT!r}")
            yield bundle
    except sqlite3.DatabaseError as error:
        raise NoBundle(path, str(error)) from None
    except UnicodeDecodeError:  # SQLite's complaint quotes what it stumbled over
        raise NoBundle(path, "what it says of its own tables is no text") from None
