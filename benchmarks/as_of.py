"""
The past of a whole account, beside a plain scan and sort of the same events.

Both are run by the server alone, under EXPLAIN ANALYZE, which throws away what they answer; they
take turns, and the medians are compared. PostgreSQL plans either as it likes best.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

import psycopg
from psycopg import Connection

from inventory import embedded, sample
from inventory.database import Database
from inventory.ingest import Intake

EVENTS_PER_NUMBER = 10

OURS = "SELECT * FROM inventory.number_as_of(%(at)s, %(known_at)s) WHERE account_id = %(account)s"

# What whoever has no such function reads, and in which order, to find each number's latest event.
PLAIN = """
SELECT
    account_id, phone_number_id, phone_number, payment_type, location, number_type, usage_type,
    status, provider_id, provider_name, uri, event_type, occurred_at, position
FROM inventory.event
WHERE account_id = %(account)s
  AND occurred_at <= %(at)s
  AND recorded_at <= %(known_at)s
ORDER BY account_id, phone_number_id, occurred_at DESC, position DESC
"""

# Half of what occurred, from two thirds of what is known.
SPAN = """
SELECT
    account_id, now(),
    percentile_disc(0.5) WITHIN GROUP (ORDER BY occurred_at),
    percentile_disc(0.67) WITHIN GROUP (ORDER BY recorded_at)
FROM inventory.event
GROUP BY account_id
"""


def fill(database: Database, events: int, *, numbers: int, accounts: int = 1) -> None:
    """Accounts of so many *numbers* each, their events in the order they happened."""
    lines = sample.history(events=events, numbers=numbers, accounts=accounts)

    def chunks() -> Iterator[Sequence[bytes]]:
        while chunk := list(islice(lines, 5_000)):
            yield chunk

    intake = Intake("bench", account_id=None, future_tolerance=timedelta(days=1))
    with database.connect() as connection:
        intake.run(connection, chunks(), lambda _: None)
    with database.connect(autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE inventory.event")
        connection.execute("CHECKPOINT")


def executed(connection: Connection, query: str, clocks: dict[str, object]) -> float:
    """Milliseconds that the server took for all of *query*'s rows."""
    plan = connection.execute(f"EXPLAIN (ANALYZE, TIMING OFF) {query}".encode(), clocks).fetchall()
    line: str = plan[-1][0]
    assert line.startswith("Execution Time: "), line
    return float(line.split()[2])


def compare(connection: Connection, what: str, clocks: dict[str, object], rounds: int) -> None:
    plain: list[float] = []
    ours: list[float] = []
    executed(connection, PLAIN, clocks)  # the first touch of a page is the cache's matter
    for _ in range(rounds):
        plain.append(executed(connection, PLAIN, clocks))
        ours.append(executed(connection, OURS, clocks))
    beside, took = statistics.median(plain), statistics.median(ours)
    print(
        f"{what:<36}{took:>10,.0f} ms {took / beside:>8.2f} of a scan and sort of {beside:,.0f} ms"
    )


def run(database: Database, rounds: int) -> None:
    with database.connect(autocommit=True) as connection:
        found = connection.execute(SPAN).fetchone()
        assert found is not None
        account, now, half, two_thirds = found
        for what, at, known_at in (
            ("as of now and now", now, now),
            ("as of the middle, as known now", half, now),
            ("as of the middle, as known then", half, two_thirds),
        ):
            clocks: dict[str, object] = {"account": account, "at": at, "known_at": known_at}
            compare(connection, what, clocks, rounds)
        one(connection, account, half)


def one(connection: Connection, account: str, at: datetime) -> None:
    """One number, to show what a condition on its id comes to."""
    number = connection.execute("SELECT min(phone_number_id) FROM inventory.event").fetchone()
    assert number is not None
    clocks: dict[str, object] = {"account": account, "at": at, "known_at": at, "number": number[0]}
    query = OURS + " AND phone_number_id = %(number)s"
    took = statistics.median(executed(connection, query, clocks) for _ in range(101))
    print(f"{'one number of them':<36}{took:>10,.3f} ms")


def main() -> None:
    """Measure, and print a table."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.as_of")
    arguments.add_argument("--events", type=int, default=1_000_000)
    arguments.add_argument("--rounds", type=int, default=7)
    given = arguments.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}")
    numbers = given.events // EVENTS_PER_NUMBER
    print(f"{given.events:,} events of {numbers:,} numbers, medians of {given.rounds} rounds\n")
    directory = Path(tempfile.mkdtemp(prefix="inventory-bench-"))
    directory.chmod(0o711)
    try:
        with embedded.running(directory, options={"shared_buffers": "2GB"}) as server:
            with psycopg.connect(server.url, autocommit=True) as connection:
                connection.execute("CREATE DATABASE past")
            database = Database(server.url.replace("@/inventory?", "@/past?"), None)
            database.upgrade()
            fill(database, given.events, numbers=numbers)
            run(database, given.rounds)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
