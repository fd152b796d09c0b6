"""
How rows that are written again and again are stored: fill factors, HOT updates, and vacuum.

An update that finds room on its row's page touches no index (HOT). Measured are the shares of them
as PostgreSQL counts them, sizes and times, after rounds of new events of numbers all over an
inventory, each folded; and what a question about the past costs while nothing has been vacuumed.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path

from psycopg import Connection

from benchmarks.__main__ import (
    ACCOUNTS,
    EVENTS_PER_NUMBER,
    Bench,
    fold,
    ingest,
    settle,
    thousand_more,
    timed,
)
from inventory import embedded
from inventory.database import Database
from inventory.projector.follower import Follower

TABLES = (
    *("account", "projection_checkpoint"),
    *("contact_center_number_live", "contact_center_number_version_live"),
)
USED = """
SELECT n_tup_upd, n_tup_hot_upd, pg_table_size(relid), pg_indexes_size(relid)
FROM pg_stat_user_tables
WHERE schemaname = 'inventory' AND relname = %s
"""
RESET = "SELECT pg_stat_reset_single_table_counters(%s::regclass)"
AS_OF = """
SELECT count(*)
FROM inventory.number_as_of('2025-06-01')
WHERE account_id = '400000001'
"""


def folded(bench: Bench, events: int, fillfactor: int, rounds: int) -> None:
    """Rounds of a thousand events of as many numbers behind *events*, at one fill factor."""
    with bench.database() as database:
        with database.connect(autocommit=True) as connection:
            for table in TABLES[2:]:
                connection.execute(
                    f"ALTER TABLE inventory.{table} SET (fillfactor = {fillfactor})".encode()
                )
        ingest(database, bench.history(events))
        fold(database)
        with database.connect(autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
            for table in TABLES:
                connection.execute(RESET, [f"inventory.{table}"])
        settle(database)
        stride = events // EVENTS_PER_NUMBER // ACCOUNTS // 1000
        with Follower(database.connect) as follower:
            took = [thousand_more(database, follower, seed, stride) for seed in range(rounds)]
        print(f"\nfillfactor {fillfactor}: {statistics.median(took) * 1000:.0f} ms a round")
        with database.connect(autocommit=True) as connection:
            connection.execute("SELECT pg_stat_force_next_flush()")
            for table in TABLES:
                print(_used(connection, table), flush=True)


def _used(connection: Connection, table: str) -> str:
    updates, hot, heap, indexes = connection.execute(USED, [table]).fetchone() or (0, 0, 0, 0)
    share = f"{hot / updates:.2f}" if updates else "none"
    return f"  {table}: {updates} updates, HOT {share}, {heap >> 10} KiB + {indexes >> 10} KiB"


def hot_rows(bench: Bench, appends: int) -> None:
    """Appends of one event each, folded each: two rows are updated every time."""
    with bench.database() as database:
        ingest(database, bench.history(4_000))
        fold(database)
        with database.connect(autocommit=True) as connection:
            for table in TABLES:
                connection.execute(RESET, [f"inventory.{table}"])
        took = _one_by_one(database, appends)
        print(f"\n{appends} appends of one event, each folded: {took / appends * 1000:.2f} ms each")
        with database.connect(autocommit=True) as connection:
            for table in TABLES[:2]:
                print(_used(connection, table), flush=True)


def _one_by_one(database: Database, appends: int) -> float:
    update = "UPDATE inventory.account SET position = position WHERE account_id = '400000001'"
    move = "UPDATE inventory.projection_checkpoint SET folded_at = now() WHERE account_id = %s"
    with database.connect(autocommit=True) as connection:

        def work() -> None:
            for _ in range(appends):
                connection.execute(update)
                connection.execute(move, ["400000001"])

        return timed(work)


def unvacuumed(bench: Bench, events: int) -> None:
    """The past of an account from an index, before and after the log is vacuumed."""
    with bench.database() as database:
        with database.connect(autocommit=True) as connection:
            connection.execute("ALTER TABLE inventory.event SET (autovacuum_enabled = off)")
        ingest(database, bench.history(events))
        with database.connect(autocommit=True) as connection:
            connection.execute("ANALYZE inventory.event")
            before = [timed(connection.execute, AS_OF) for _ in range(5)]
            vacuumed = timed(connection.execute, "VACUUM inventory.event")
            after = [timed(connection.execute, AS_OF) for _ in range(5)]
        print(
            f"\nan account's past in {events:,} events: {statistics.median(before) * 1000:.0f} ms, "
            f"vacuumed (in {vacuumed:.1f} s) {statistics.median(after) * 1000:.0f} ms"
        )


def main() -> None:
    """Measure, and print what was found."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.storage")
    arguments.add_argument("--events", type=int, default=400_000)
    arguments.add_argument("--rounds", type=int, default=30)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="inventory-bench-") as name:
        scratch = Path(name)
        scratch.chmod(0o711)
        with embedded.running(scratch, options={"shared_buffers": "512MB"}) as server:
            bench = Bench(server, scratch)
            for fillfactor in (100, 90, 80, 60):
                folded(bench, given.events, fillfactor, given.rounds)
            hot_rows(bench, 20_000)
            unvacuumed(bench, given.events)


if __name__ == "__main__":
    main()
