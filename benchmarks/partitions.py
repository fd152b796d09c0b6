"""
The log as one table, and in partitions: what appending, folding and looking up cost.

The same finished rows are copied into each layout in turn, from a database beside it, so that all
pay the same for where the rows come from. Partitions by position cannot have the unique key that
keeps a notification from being recorded twice, since there is no position in it: they are here to
show what they would cost even so.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from psycopg import Connection

from benchmarks.__main__ import ACCOUNTS, Bench, ingest, settle, timed
from inventory import embedded, projector
from inventory.database import Database
from inventory.event_log import PROBE
from inventory.event_row import COLUMNS

PARTS = 8
ONE = 1_000_000
"""Events that are made; more are these again under other accounts."""

LIKE = "CREATE TABLE inventory.parted (LIKE inventory.event INCLUDING ALL) PARTITION BY {by}"
LIKE_UNKEYED = """
CREATE TABLE inventory.parted (LIKE inventory.event INCLUDING ALL EXCLUDING INDEXES)
PARTITION BY {by};
ALTER TABLE inventory.parted ADD PRIMARY KEY (account_id, position);
CREATE INDEX ON inventory.parted (account_id, phone_number_id, event_uuid);
CREATE INDEX ON inventory.parted (account_id, phone_number_id, occurred_at, position)
    INCLUDE (recorded_at);
CREATE INDEX ON inventory.parted (account_id, phone_number_id, occurred_at)
    WHERE origin <> 'notification'
"""
SWAP = """
ALTER TABLE inventory.event RENAME TO unparted;
ALTER TABLE inventory.parted RENAME TO event
"""

OPEN_ACCOUNTS = """
INSERT INTO inventory.account (account_id, position, head_hash)
SELECT account_id, max(position), ''
FROM inventory.event
GROUP BY account_id
"""
SIZE = """
SELECT sum(pg_table_size(oid))::float8 AS heap, sum(pg_indexes_size(oid))::float8 AS indexes
FROM pg_class
WHERE oid = 'inventory.event'::regclass
   OR oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'inventory.event'::regclass)
"""
KEYS = """
SELECT phone_number_id, event_uuid
FROM inventory.event
WHERE account_id = %(account_id)s
  AND position %% (%(every)s::bigint) = %(rest)s
LIMIT 1000
"""
AS_OF = """
SELECT count(*)
FROM inventory.number_as_of('2025-06-01')
WHERE account_id = %(account_id)s
"""


def single(_: Connection) -> None:
    """As the migrations make it."""


def by_account(connection: Connection) -> None:
    connection.execute(LIKE.format(by="HASH (account_id)").encode())
    for part in range(PARTS):
        _part(connection, part, f"WITH (MODULUS {PARTS}, REMAINDER {part})")
    connection.execute(SWAP)


def by_position(connection: Connection) -> None:
    connection.execute(LIKE_UNKEYED.format(by="RANGE (position)").encode())
    step = ONE // ACCOUNTS // PARTS + 1
    for part in range(PARTS):
        end = (part + 1) * step if part + 1 < PARTS else "MAXVALUE"
        _part(connection, part, f"FROM ({part * step}) TO ({end})")
    connection.execute(SWAP)


def _part(connection: Connection, part: int, bounds: str) -> None:
    query = f"CREATE TABLE inventory.part_{part} PARTITION OF inventory.parted FOR VALUES {bounds}"
    connection.execute(query.encode())


LAYOUTS = {"one table": single, "hash (account_id)": by_account, "range (position)": by_position}


def copied(source: Database, target: Database, times: int) -> None:
    """Copy the log of *source* into *target* so many times, each time as other accounts."""
    columns = ", ".join(name.strip() for name in COLUMNS.split(","))
    shifted = columns.replace("account_id", "(account_id::bigint + {shift})::text AS account_id")
    with source.connect() as reading, target.connect() as writing:
        for again in range(times):
            selected = shifted.format(shift=again * 10)
            out = f"COPY (SELECT {selected} FROM inventory.event) TO STDOUT"  # noqa: S608 - ours
            into = f"COPY inventory.event ({columns}) FROM STDIN"
            with (
                reading.cursor().copy(f"{out} (FORMAT BINARY)".encode()) as copy_out,
                writing.cursor().copy(f"{into} (FORMAT BINARY)".encode()) as copy_in,
            ):
                for block in copy_out:
                    copy_in.write(block)
            writing.commit()


def measure(source: Database, target: Database, layout: str, events: int) -> Mapping[str, float]:
    with target.connect(autocommit=True) as connection:
        LAYOUTS[layout](connection)
    settle(target)
    found = {"append_per_s": events / timed(copied, source, target, events // ONE)}
    settle(target)
    with target.connect(autocommit=True) as connection:
        found["vacuum_s"] = timed(connection.execute, "VACUUM (FREEZE, ANALYZE) inventory.event")
        connection.execute(OPEN_ACCOUNTS)
        heap, indexes = connection.execute(SIZE).fetchone() or (0, 0)
        found |= {"heap_bytes": heap / events, "indexes_bytes": indexes / events}
    settle(target)
    accounts = [f"{400000001 + at}" for at in range(ACCOUNTS)]
    found["fold_per_s"] = ONE / timed(_fold, target, accounts)
    with target.connect(autocommit=True) as connection:
        found["probe_1000_ms"] = _probed(connection, accounts[0])
        wanted = {"account_id": accounts[1]}
        took = [timed(connection.execute, AS_OF, wanted) for _ in range(5)]
        found["account_as_of_ms"] = statistics.median(took) * 1000
    return found


def _fold(database: Database, accounts: list[str]) -> None:
    with database.connect() as connection:
        for account in accounts:
            with connection.transaction():
                projector.fold(connection, account)


def _probed(connection: Connection, account: str) -> float:
    """Milliseconds, a median, to look for a thousand events by their keys."""
    every = ONE // ACCOUNTS // 1000
    took = []
    for rest in range(15):
        wanted = {"account_id": account, "every": every, "rest": rest}
        keys = connection.execute(KEYS, wanted).fetchall()
        numbers, uuids = [key[0] for key in keys], [key[1] for key in keys]
        wanted = {"account_id": account, "phone_number_ids": numbers, "event_uuids": uuids}
        began = time.perf_counter()
        rows = connection.execute(PROBE, wanted, prepare=False).fetchall()
        took.append((time.perf_counter() - began) * 1000)
        assert len(rows) == len(keys) > 900, (len(rows), len(keys))
    return statistics.median(took)


def main() -> None:
    """Measure each layout, and print what was found."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.partitions")
    arguments.add_argument("--millions", type=int, default=10)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="inventory-bench-") as name:
        scratch = Path(name)
        scratch.chmod(0o711)
        with embedded.running(scratch, options={"shared_buffers": "2GB"}) as server:
            bench = Bench(server, scratch)
            with bench.database() as source:
                ingest(source, bench.history(ONE))
                for layout in LAYOUTS:
                    with bench.database() as target:
                        found = measure(source, target, layout, given.millions * ONE)
                    rounded = {what: round(value, 2) for what, value in found.items()}
                    print(layout, rounded, flush=True)


if __name__ == "__main__":
    main()
