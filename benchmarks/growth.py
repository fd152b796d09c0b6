"""
What grows with the log, and what does not: the same measurements at ten times the size, and again.

Each size is a database of its own, filled, folded and rebuilt as users do it. Writes a CSV, one row
a size, and plots of it.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, LiteralString

from psycopg import Connection

from benchmarks.__main__ import (
    ACCOUNTS,
    EVENTS_PER_NUMBER,
    Bench,
    fold,
    ingest,
    rebuild,
    settle,
    timed,
)
from benchmarks.plot import lines
from inventory import embedded

SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
ASKED = 200
"""Keys that are looked up, of which the first half only warms what the second half finds."""

RELATIONS = """
SELECT
    relname::text,
    pg_table_size(oid) AS heap,
    pg_indexes_size(oid) AS indexes
FROM pg_class
WHERE relnamespace = 'inventory'::regnamespace AND relkind = 'r'
"""

INDEXES = """
SELECT indexrelid::regclass::text, pg_relation_size(indexrelid)
FROM pg_index
WHERE indrelid = 'inventory.event'::regclass
"""

# Keys all over the log, by positions that are anywhere in it.
KEYS = """
SELECT account_id, phone_number_id, event_uuid, occurred_at
FROM inventory.event
WHERE account_id = '400000001'
  AND position IN (
      SELECT 1 + floor(random() * head.position)::bigint
      FROM inventory.account AS head
      CROSS JOIN generate_series(1, %(asked)s)
      WHERE head.account_id = '400000001'
  )
"""

LOOKUPS: Mapping[str, LiteralString] = {
    "event_by_key_ms": """
        SELECT position FROM inventory.event
        WHERE account_id = %s AND phone_number_id = %s AND event_uuid = %s""",
    "number_now_ms": """
        SELECT * FROM inventory.contact_center_number
        WHERE account_id = %s AND phone_number_id = %s AND %s::text IS NOT NULL""",
    "number_as_of_ms": """
        SELECT * FROM inventory.number_as_of(%s, now())
        WHERE account_id = %s AND phone_number_id = %s""",
}
WHOLE_ACCOUNT = "SELECT count(*) FROM inventory.number_as_of(%s, now()) WHERE account_id = %s"


def measure(bench: Bench, events: int) -> dict[str, Any]:
    """Everything about a log of so many *events*."""
    path = bench.history(events)
    with bench.database() as database:
        settle(database)
        row: dict[str, Any] = {"events": events, "payload_file_bytes": path.stat().st_size}
        row["ingest_per_s"] = events / timed(ingest, database, path)
        path.unlink()
        with database.connect(autocommit=True) as connection:
            row["vacuum_s"] = timed(connection.execute, "VACUUM (ANALYZE, FREEZE) inventory.event")
        settle(database)
        row["fold_per_s"] = events / timed(fold, database)
        settle(database)
        row["rebuild_per_s"] = events / timed(rebuild, database)
        with database.connect(autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
            row |= _sizes(connection, events) | _lookups(connection)
    return row


def _sizes(connection: Connection, events: int) -> dict[str, float]:
    sizes: dict[str, float] = {}
    projections = 0
    for name, heap, indexes in connection.execute(RELATIONS).fetchall():
        if name == "event":
            sizes["event_heap_bytes"] = heap / events
            sizes["event_indexes_bytes"] = indexes / events
        elif name.startswith("contact_center_number"):
            projections += heap + indexes
    sizes["projection_bytes"] = projections / events
    for name, size in connection.execute(INDEXES).fetchall():
        sizes[f"{name.removeprefix('inventory.')}_bytes"] = size / events
    whole = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    assert whole is not None
    sizes["database_bytes"] = whole[0] / events
    return sizes


def _lookups(connection: Connection) -> dict[str, float]:
    keys = connection.execute(KEYS, {"asked": ASKED}).fetchall()
    took: dict[str, list[float]] = {name: [] for name in LOOKUPS}
    for account, number, uuid, at in keys:
        for name, query in LOOKUPS.items():
            parameters = (at, account, number) if "as_of" in name else (account, number, uuid)
            began = time.perf_counter()
            connection.execute(query, parameters).fetchall()
            took[name].append((time.perf_counter() - began) * 1000)
    half = {name: statistics.median(each[len(each) // 2 :]) for name, each in took.items()}
    middle = sorted(at for *_, at in keys)[len(keys) // 2]
    account = keys[0][0]
    whole = [timed(connection.execute, WHOLE_ACCOUNT, (middle, account)) for _ in range(3)]
    return half | {"account_as_of_s": statistics.median(whole)}


def plots(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """SVGs of *rows*, by the name of their file."""

    def series(names: Mapping[str, str]) -> dict[str, list[tuple[float, float]]]:
        return {
            called: [(float(row["events"]), float(row[name])) for row in rows]
            for name, called in names.items()
        }

    return {
        "growth-throughput.svg": lines(
            "Events a second, by size of the log",
            series({"fold_per_s": "fold", "rebuild_per_s": "rebuild", "ingest_per_s": "ingest"}),
            x="events in the log",
            y="events a second",
        ),
        "growth-bytes.svg": lines(
            "Bytes an event on disk, by size of the log",
            series(
                {
                    "database_bytes": "whole database",
                    "event_heap_bytes": "event, rows",
                    "event_indexes_bytes": "event, indexes",
                    "projection_bytes": "projection",
                }
            ),
            x="events in the log",
            y="bytes an event",
        ),
        "growth-lookups.svg": lines(
            "Milliseconds a question, by size of the log",
            series(
                {
                    "number_as_of_ms": "number as of",
                    "event_by_key_ms": "event by key",
                    "number_now_ms": "number now",
                }
            ),
            x="events in the log",
            y="milliseconds",
        ),
    }


def main() -> None:
    """Measure each size, and write what was found."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.growth")
    arguments.add_argument("--events", type=int, nargs="+", default=SIZES)
    arguments.add_argument("--directory", type=Path, default=Path("docs"))
    given = arguments.parse_args()
    print(f"{ACCOUNTS} accounts, {EVENTS_PER_NUMBER} events a number\n")
    with tempfile.TemporaryDirectory(prefix="inventory-bench-") as name:
        scratch = Path(name)
        scratch.chmod(0o711)
        with embedded.running(scratch, options={"shared_buffers": "2GB"}) as server:
            rows = []
            for events in given.events:
                rows.append(measure(Bench(server, scratch), events))
                print({name: round(value, 4) for name, value in rows[-1].items()}, flush=True)
    with (given.directory / "growth.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows({name: round(value, 4) for name, value in row.items()} for row in rows)
    for file_name, svg in plots(rows).items():
        (given.directory / file_name).write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
