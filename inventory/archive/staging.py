"""An archive's events beside the log: in a temporary table of one connection."""

from __future__ import annotations

from pathlib import Path

from psycopg import Connection, sql

from inventory.archive import directory as directories
from inventory.archive import parquet
from inventory.archive.manifest import Manifest

# All that the log's columns demand, and none of its indexes but the one that it is asked by.
STAGE = """
CREATE TEMPORARY TABLE archived (
    LIKE inventory.event,
    PRIMARY KEY (account_id, position)
)
"""
COPY = sql.SQL("COPY pg_temp.archived (account_id, {columns}) FROM STDIN").format(
    columns=sql.SQL(", ").join(sql.Identifier(name) for name, _ in parquet.EVENTS)
)
AWAY = "DROP TABLE IF EXISTS pg_temp.archived"
ANALYZE = "ANALYZE pg_temp.archived"

RECORDED = """
SELECT manifest_sha256
FROM inventory.archive
WHERE account_id = %(account_id)s
  AND first_position = %(first)s
  AND last_position = %(last)s
"""


def clear(connection: Connection) -> None:
    """Make `pg_temp.archived`, empty: nobody else sees it, and it goes with the connection."""
    connection.execute(AWAY)
    connection.execute(STAGE)


def stage(connection: Connection, directory: Path) -> Manifest:
    """
    Put the events of the archive at *directory* into `pg_temp.archived`, with those there already.

    Assumes that it was examined. They take as much room as they took in the log, less its indexes.
    """
    manifest, _ = directories.manifest_of(directory)
    with connection.cursor().copy(COPY) as copy:
        for row in directories.rows(directory, manifest, "events"):
            copy.write_row((manifest.account_id, *row))
    connection.execute(ANALYZE)
    return manifest


def is_recorded(connection: Connection, manifest: Manifest, manifest_sha256: bytes) -> bool | None:
    """Whether it is the archive that was detached; null: none of its range was."""
    recorded = connection.execute(
        RECORDED,
        {
            "account_id": manifest.account_id,
            "first": manifest.first_position,
            "last": manifest.last_position,
        },
    ).fetchone()
    return None if recorded is None else recorded[0] == manifest_sha256
