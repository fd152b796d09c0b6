"""What archiving takes and leaves: a whole account exported, detached, verified, restored."""

from __future__ import annotations

import argparse
import resource
import tempfile
from pathlib import Path

from benchmarks.__main__ import ACCOUNTS, Bench, fold, ingest, settle, timed
from inventory import archive, embedded
from inventory.archive import Examined
from inventory.database import Database
from inventory.verification import Verified

ACCOUNT = "400000001"
HEAD = "SELECT position FROM inventory.account WHERE account_id = %s"


def measure(database: Database, directory: Path) -> None:
    with database.connect(autocommit=True) as connection:
        events = (connection.execute(HEAD, [ACCOUNT]).fetchone() or (0,))[0]

        def row(what: str, seconds: float) -> None:
            print(f"{what:<24}{events / seconds:>12,.0f} events/s", flush=True)

        def export() -> None:
            archive.export(connection, ACCOUNT, directory, through=events)

        row("export", timed(export))
        files = sum(path.stat().st_size for path in directory.iterdir())
        print(f"{'archive':<24}{files / events:>12,.0f} bytes an event", flush=True)
        row("verify, alone", timed(lambda: list(archive.examine(directory, Examined()))))
        planned = archive.plan(connection, directory)
        print(f"{'kept in the table':<24}{planned.kept / events:>12.2f} of all", flush=True)
        row("detach", timed(archive.detach, connection, directory))
        settle(database)
        differing: list[object] = []

        def verify() -> None:
            differing.extend(archive.verify(connection, [directory], Verified(), account=ACCOUNT))

        row("verify --archive", timed(verify))
        assert not differing, differing[:3]
        row("restore", timed(archive.restore, connection, directory))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{'peak memory':<24}{peak:>12,.0f} MiB")


def main() -> None:
    """Measure, and print a table."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.archive")
    arguments.add_argument("--events", type=int, default=1_000_000)
    given = arguments.parse_args()
    print(f"one of {ACCOUNTS} accounts with {given.events:,} events in all\n")
    with tempfile.TemporaryDirectory(prefix="inventory-bench-") as name:
        scratch = Path(name)
        scratch.chmod(0o711)
        with embedded.running(scratch, options={"shared_buffers": "512MB"}) as server:
            bench = Bench(server, scratch)
            with bench.database() as database:
                ingest(database, bench.history(given.events))
                fold(database)
                settle(database)
                measure(database, scratch / "archive")


if __name__ == "__main__":
    main()
