"""
Rivals in one run: what else notifications could be kept with, on the same machine, in turn.

`python -m benchmarks.rivals --write docs` writes the page of results and its plot. Each contender
works in a process and a database of its own; medians of several rounds are compared.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import plot
from benchmarks.__main__ import Bench
from benchmarks.__main__ import settle as checkpoint
from benchmarks.receiver import (
    RATE,
    SECONDS,
    as_fast_as_it_can,
    at_a_rate,
    check,
    percentile,
    running,
    settle,
)
from benchmarks.rival import TOKEN
from inventory import embedded

SIZES = (10_000, 100_000, 300_000)
SINGLES = 2_000
PROJECTED = 10_000
NAMES = {
    "ours": "inventory",
    "copy": "COPY of the payloads alone, no index",
    "eventsourcing": "eventsourcing, its recorders",
    "advisory": "a log under an advisory lock",
}
HTTP = {
    "ours": "`inventory serve`",
    "fastapi": "FastAPI, one INSERT a request",
    "insert": "Starlette, one INSERT a request",
    "bare": "the receiver without a database",
}
PGBENCH = "INSERT INTO limited (payload) VALUES ('{payload}');\n"


class Cost(NamedTuple):
    """What a task took, the median of its rounds."""

    rate: float
    """Events a second."""
    memory: float
    """Bytes the process had at most."""
    size: float | None
    """Bytes an event on disk."""
    p50: float | None = None
    """Milliseconds, of events made durable one by one."""
    p99: float | None = None


class Rivals:
    """One PostgreSQL, and the same notifications for everybody."""

    def __init__(self, server: embedded.Running, directory: Path, rounds: int) -> None:
        self._bench = Bench(server, directory)
        self._binaries = server.binaries
        self._directory = directory
        self._rounds = rounds

    def cost(self, tasks: Sequence[str], events: int) -> Cost:
        """What the last of *tasks* takes after the others."""
        path = self._bench.history(events)
        found = []
        for _ in range(self._rounds):
            with self._bench.database() as database:
                for task in tasks:
                    checkpoint(database)
                    last = _measured(task, database.url, path)
                found.append(last)
        took = [each["took"] for each in found if "took" in each]
        sizes = [each["bytes"] / events for each in found if "bytes" in each]
        return Cost(
            events / statistics.median(each["seconds"] for each in found),
            statistics.median(each["memory"] for each in found),
            statistics.median(sizes) if sizes else None,
            *(
                statistics.median(percentile(each, share) for each in took) if took else None
                for share in (0.5, 0.99)
            ),
        )

    def pgbench(self, clients: int) -> Cost:
        """PostgreSQL's own single-row durable INSERT, as pgbench does it."""
        payload = self._bench.history(SINGLES).read_text(encoding="utf-8").splitlines()[0]
        script = self._directory / "insert.sql"
        script.write_text(PGBENCH.format(payload=payload.replace("'", "''")), encoding="utf-8")
        rates = []
        for _ in range(self._rounds):
            with self._bench.database() as database:
                with database.connect(autocommit=True) as connection:
                    connection.execute("CREATE TABLE limited (id bigserial, payload json)")
                done = subprocess.run(
                    [
                        *(self._binaries / "pgbench", "-n", "-M", "prepared", "-T", "5"),
                        *("-c", str(clients), "-j", "1", "-f", str(script), database.url),
                    ],
                    check=True,
                    capture_output=True,
                    text=True,
                )
                found = re.search(r"tps = ([\d.]+)", done.stdout)
                assert found is not None, done.stdout
                rates.append(float(found[1]))
        return Cost(statistics.median(rates), 0, None)

    def http(self, rival: str) -> tuple[float, float, float, float]:
        """Acknowledged a second; p50 and p99 in ms at a steady rate; bytes of the process."""
        rates, p50s, p99s, memory = [], [], [], []
        for _ in range(self._rounds):
            with self._bench.database() as database:
                variables = {
                    "INVENTORY_DATABASE_URL": database.url,
                    "INVENTORY_WEBHOOK_TOKEN": TOKEN,
                }
                command = (
                    ("inventory", "serve", "--port", "0")
                    if rival == "ours"
                    else ("benchmarks.rival", rival, database.url)
                )
                with running(*command, **variables) as url:
                    acknowledged, seconds = asyncio.run(as_fast_as_it_can(url))
                    rates.append(len(acknowledged) / seconds)
                    if rival == "ours":
                        check(database, acknowledged)
                        settle(database)
                    _, took = asyncio.run(at_a_rate(url, SECONDS))
                    p50s.append(percentile(took, 0.5))
                    p99s.append(percentile(took, 0.99))
                    memory.append(_memory_of_children())
        median = statistics.median
        return median(rates), median(p50s), median(p99s), median(memory)


def _measured(task: str, url: str, path: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.contender", task, url, str(path)],
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _memory_of_children() -> int:
    """Bytes that the greatest of our processes' children has had at most."""
    greatest = 0
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            said = dict(
                line.split(":", 1) for line in status.read_text(encoding="utf-8").splitlines()
            )
        except (OSError, ValueError):
            continue
        if int(said["PPid"]) == os.getpid():
            greatest = max(greatest, int(said.get("VmHWM", "0 kB").split()[0]) * 1024)
    return greatest


def run(rivals: Rivals, tell: Callable[[str], None]) -> dict[str, list[tuple[float, float]]]:
    """Measure, tell it in Markdown, and return append rates by contender and size."""
    tell("## Append in bulk, five thousand a transaction\n")
    tell("| what | events | events a second | bytes an event on disk | memory, MiB |")
    tell("|---|---:|---:|---:|---:|")
    series: dict[str, list[tuple[float, float]]] = {name: [] for name in NAMES.values()}
    for size in SIZES:
        for rival, name in NAMES.items():
            cost = rivals.cost([f"{rival}_bulk"], size)
            series[name].append((size, cost.rate))
            tell(
                f"| {name} | {size:,} | {cost.rate:,.0f} | {cost.size or 0:,.0f} "
                f"| {cost.memory / 2**20:,.0f} |"
            )
    tell(f"\n## Append one by one, each durable before the next ({SINGLES:,})\n")
    tell("| what | events a second | p50, ms | p99, ms |")
    tell("|---|---:|---:|---:|")
    for clients in (1, 16):
        cost = rivals.pgbench(clients)
        tell(f"| pgbench, one INSERT a transaction, {clients} at once | {cost.rate:,.0f} | | |")
    for rival in ("ours", "eventsourcing", "advisory"):
        cost = rivals.cost([f"{rival}_single"], SINGLES)
        tell(f"| {NAMES[rival]} | {cost.rate:,.0f} | {cost.p50:.2f} | {cost.p99:.2f} |")
    tell(f"\n## Projection from nothing ({PROJECTED:,} events)\n")
    tell("| what | events a second | memory, MiB |")
    tell("|---|---:|---:|")
    for rival in ("ours", "eventsourcing"):
        cost = rivals.cost([f"{rival}_bulk", f"{rival}_projection"], PROJECTED)
        tell(f"| {NAMES[rival]} | {cost.rate:,.0f} | {cost.memory / 2**20:,.0f} |")
    tell(f"\n## Over HTTP, 256 senders; then {RATE} a second\n")
    tell("| what | acknowledged a second | p50, ms | p99, ms | memory, MiB |")
    tell("|---|---:|---:|---:|---:|")
    for rival, name in HTTP.items():
        rate, p50, p99, memory = rivals.http(rival)
        tell(f"| {name} | {rate:,.0f} | {p50:.1f} | {p99:.1f} | {memory / 2**20:,.0f} |")
    return series


def main() -> None:
    """Measure, and print or write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", type=Path, help="a directory for rivals.md and its plot")
    asked = parser.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="inventory-bench-"))
    directory.chmod(0o711)
    machine = f"{platform.machine()}, {os.cpu_count()} processors"
    told = ["# Rivals, measured\n"]
    told += [f"{machine}, Python {platform.python_version()}, medians of {asked.rounds} rounds.\n"]

    def tell(line: str) -> None:
        print(line, flush=True)
        told.append(line)

    try:
        with embedded.running(directory, options={"shared_buffers": "2GB"}) as server:
            series = run(Rivals(server, directory, asked.rounds), tell)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    if asked.write is not None:
        asked.write.mkdir(exist_ok=True)
        (asked.write / "rivals-measured.md").write_text("\n".join(told) + "\n", encoding="utf-8")
        drawn = plot.lines("Append in bulk", series, x="events in the log", y="events a second")
        (asked.write / "rivals-append.svg").write_text(drawn, encoding="utf-8")


if __name__ == "__main__":
    main()
