"""
The initial load of an account, and a run that finds nothing to do, beside what they rest on.

The simulator runs in this process, without rate limits, and takes its share of the time: what
reading its list alone takes is told, too, and how much processor time our own thread had of it.
RingCentral gives 10 pages of 1,000 numbers a minute,
which for a large account is longer than all the rest.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from inventory import embedded, projector
from inventory.cli.listening import served
from inventory.database import Database
from inventory.reconciliation import RingCentralSource, alone, reconcile
from inventory.reconciliation.reading import read
from inventory.ringcentral import RingCentral
from inventory.simulator import Limits, Platform, Simulator

HEAVY = 10
"""Pages a minute that RingCentral gives."""


def timed(what: str, work: Callable[[], Any], numbers: int) -> Any:
    begun, used = time.perf_counter(), time.thread_time()
    result = work()
    took, used = time.perf_counter() - begun, time.thread_time() - used
    print(
        f"{what:<44}{took:>8.2f} s{numbers / took:>10,.0f} numbers a second{used:>8.2f} s of ours"
    )
    return result


def peak() -> int:
    """Memory of this process at its most so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def run(database: Database, client: RingCentral, account_id: str, numbers: int) -> None:
    before = peak()
    with database.connect(autocommit=True) as connection:

        def once() -> tuple[int, str, int]:
            with alone(connection, account_id):
                source = RingCentralSource(client, account_id)
                done = reconcile(connection, source, mode="apply")
                return done.done.total(), done.plan.outcome, source.requests

        def fold() -> None:
            with connection.transaction():
                projector.fold(connection, account_id)

        timed("reading the list alone", lambda: read(client, account_id), numbers)
        loaded = timed("initial load: read, compare, append, record", once, numbers)
        assert loaded[:2] == (2 * numbers, "complete"), loaded  # found, and appended
        timed("fold of what it appended", fold, numbers)
        connection.execute("VACUUM ANALYZE")
        nothing = timed("a run without drift: read, compare", once, numbers)
        assert nothing[:2] == (0, "complete"), nothing
        pages = -(-numbers // 1000)
        for what, done in (("initial load", loaded), ("without drift", nothing)):
            print(f"{what}: {done[2]} requests, {pages} of them pages")
        print(f"at {HEAVY} pages a minute, these alone take {(pages - 1) // HEAVY} minutes")
        print(f"peak memory {peak()} MiB, {before} of it the simulator's")


def main() -> None:
    """Measure, and print what it took."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.reconciliation")
    arguments.add_argument("--numbers", type=int, default=100_000)
    given = arguments.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}")
    print(f"{given.numbers:,} numbers of one account\n")
    limits = Limits(dict.fromkeys(("light", "medium", "heavy", "auth"), 100_000))
    there = Platform(limits=limits)
    for _ in range(given.numbers):
        there.add()
    directory = Path(tempfile.mkdtemp(prefix="inventory-bench-"))
    directory.chmod(0o711)
    try:
        with (
            embedded.running(directory, options={"shared_buffers": "1GB"}) as server,
            served(Simulator(there).application()) as url,
        ):
            with psycopg.connect(server.url, autocommit=True) as connection:
                connection.execute("CREATE DATABASE reconciled")
            database = Database(server.url.replace("@/inventory?", "@/reconciled?"), None)
            database.upgrade()
            app = there.application
            with RingCentral(
                url, client_id=app.client_id, client_secret=app.client_secret, jwt=app.jwt
            ) as client:
                run(database, client, there.account_id, given.numbers)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
