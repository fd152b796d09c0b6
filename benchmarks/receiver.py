"""
The receiver: how many notifications it acknowledges, and how long each has to wait.

Load generator, server and PostgreSQL share the machine's processors. Each notification that was
acknowledged must be in the log exactly once: that is checked after every run.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from benchmarks.rival import TOKEN
from inventory import embedded, sample
from inventory.database import Database

CONNECTIONS = 256
SECONDS = 8.0
RATE = 300
_serial = count(1)


def notification() -> tuple[str, bytes]:
    """A notification of a number of its own, and its uuid."""
    serial = next(_serial)
    uuid = f"live-{serial}"
    body = (
        b'{"uuid":"%s","event":"/restapi/v1.0/account/400000001/phone-number",'
        b'"timestamp":"2026-11-02T00:00:00.000Z","subscriptionId":"9d38419f",'
        b'"ownerId":"8475874957","body":{"eventType":"Created","phoneNumberInfo":{'
        b'"id":"%d","phoneNumber":"+1%010d","paymentType":"Local","location":"Belmont, CA",'
        b'"type":"VoiceFax","usageType":"ContactCenterNumber","status":"Normal",'
        b'"contactCenterProvider":{"id":"1","name":"Provider"}}}}'
    ) % (uuid.encode(), 800_000_000 + serial, serial)
    return uuid, body


class Sender:
    """One kept connection to the receiver."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def to(cls, url: str) -> Sender:
        address = urlsplit(url)
        return cls(*await asyncio.open_connection(address.hostname, address.port))

    async def deliver(self, body: bytes) -> bool:
        """Whether it was acknowledged."""
        self._writer.write(
            b"POST /webhooks/ringcentral HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            b"Verification-Token: bench\r\n"
            b"Content-Type: application/json; charset=UTF-8\r\nContent-Length: %d\r\n\r\n"
            % len(body)
            + body
        )
        head = await self._reader.readuntil(b"\r\n\r\n")
        await self._reader.readexactly(2)  # {}
        return head.startswith(b"HTTP/1.1 200 ")

    @property
    def closed(self) -> bool:
        """Whether the server has hung up, as it does on connections that are idle."""
        return self._reader.at_eof()

    def close(self) -> None:
        self._writer.close()


async def as_fast_as_it_can(url: str) -> tuple[list[str], float]:
    """The uuids that were acknowledged, and the seconds it took."""
    acknowledged: list[str] = []
    until = time.perf_counter() + SECONDS

    async def send() -> None:
        sender = await Sender.to(url)
        while time.perf_counter() < until:
            uuid, body = notification()
            if await sender.deliver(body):
                acknowledged.append(uuid)
        sender.close()

    begun = time.perf_counter()
    await asyncio.gather(*(send() for _ in range(CONNECTIONS)))
    return acknowledged, time.perf_counter() - begun


async def at_a_rate(url: str, seconds: float) -> tuple[list[str], list[float]]:
    """
    The uuids that were acknowledged, and the seconds each took.

    They are sent when their time has come, whether or not others have been answered, and the
    seconds count from then: a server that stalls cannot hide it by slowing the sender down.
    """
    acknowledged: list[str] = []
    took: list[float] = []
    idle = [await Sender.to(url) for _ in range(CONNECTIONS)]
    begun = time.perf_counter()

    async def send(due: float) -> None:
        while idle and idle[-1].closed:
            idle.pop().close()
        sender = idle.pop() if idle else await Sender.to(url)
        uuid, body = notification()
        if await sender.deliver(body):
            acknowledged.append(uuid)
            took.append(time.perf_counter() - due)
        idle.append(sender)

    async with asyncio.TaskGroup() as tasks:
        for nth in range(int(RATE * seconds)):
            due = begun + nth / RATE
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            tasks.create_task(send(due))
    for sender in idle:
        sender.close()
    return acknowledged, took


@contextmanager
def running(*command: str, **variables: str) -> Iterator[str]:
    """A server in a process of its own; its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        env=os.environ | variables,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        line = process.stderr.readline()
        assert line.startswith("listening on http"), line
        yield line.split()[-1]
    finally:
        process.terminate()
        process.wait()
        process.stderr.close()


def check(database: Database, acknowledged: list[str]) -> None:
    """Each acknowledged notification is in the log exactly once."""
    with database.connect() as connection:
        found = connection.execute(
            "SELECT event_uuid, count(*) FROM inventory.event WHERE event_uuid LIKE 'live-%'"
            " GROUP BY event_uuid"
        ).fetchall()
    times: dict[str, int] = dict(found)
    wrong = [uuid for uuid in acknowledged if times.get(uuid) != 1]
    assert not wrong, f"{len(wrong)} acknowledged and not in the log once, as {wrong[0]}"


def settle(database: Database) -> None:
    """Wait until what the flood left behind is folded and on disk."""
    lag = "SELECT coalesce(sum(lag_events), 0) FROM inventory.freshness"
    with database.connect(autocommit=True) as connection:
        while connection.execute(lag).fetchone() != (0,):
            time.sleep(0.1)
        connection.execute("CHECKPOINT")


def percentile(took: list[float], share: float) -> float:
    """Milliseconds that *share* of them took at most."""
    return sorted(took)[int(share * (len(took) - 1))] * 1000


def run(server: embedded.Running, directory: Path, rounds: int) -> None:
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE receiver")
    database = Database(server.url.replace("@/inventory?", "@/receiver?"), None)
    database.upgrade()
    ours = {"INVENTORY_DATABASE_URL": database.url, "INVENTORY_WEBHOOK_TOKEN": TOKEN}

    rates: dict[str, list[float]] = {"bare": [], "insert": [], "ours": []}
    for _ in range(rounds):
        for rival in ("bare", "insert"):
            with running("benchmarks.rival", rival, database.url) as url:
                acknowledged, seconds = asyncio.run(as_fast_as_it_can(url))
                rates[rival].append(len(acknowledged) / seconds)
        with running("inventory", "serve", "--port", "0", **ours) as url:
            acknowledged, seconds = asyncio.run(as_fast_as_it_can(url))
            rates["ours"].append(len(acknowledged) / seconds)
        check(database, acknowledged)
    median = {name: statistics.median(taken) for name, taken in rates.items()}
    row("the same server without a database", median["bare"], "acknowledged/s")
    row("one committed INSERT a request", median["insert"], "acknowledged/s")
    row("serve", median["ours"], "acknowledged/s")
    print(f"  {median['ours'] / median['bare']:.2f} of the server without a database")
    print(f"  {median['ours'] / median['insert']:.2f} times one INSERT a request", flush=True)

    with running("inventory", "serve", "--port", "0", **ours) as url:
        settle(database)
        calm: list[list[float]] = []
        for _ in range(rounds):
            acknowledged, took = asyncio.run(at_a_rate(url, SECONDS))
            check(database, acknowledged)
            calm.append(took)
        row(f"p50 at {RATE}/s", statistics.median(percentile(t, 0.5) for t in calm), "ms")
        row(f"p99 at {RATE}/s", statistics.median(percentile(t, 0.99) for t in calm), "ms")
        row("  the worst round's", max(percentile(t, 0.99) for t in calm), "ms")

        path = directory / "import.ndjson"
        with path.open("wb") as file:
            file.writelines(
                line + b"\n" for line in sample.history(events=500_000, numbers=50_000, accounts=1)
            )
        importing = subprocess.Popen(
            [sys.executable, "-m", "inventory", "event", "ingest", str(path)],
            env=os.environ | ours,
            stderr=subprocess.DEVNULL,
        )
        acknowledged, took = asyncio.run(at_a_rate(url, SECONDS))
        assert importing.poll() is None, "the import ended before the load"
        importing.terminate()
        importing.wait()
        check(database, acknowledged)
        row(f"p50 at {RATE}/s during an import", percentile(took, 0.5), "ms")
        row(f"p99 at {RATE}/s during an import", percentile(took, 0.99), "ms")
        row("  acknowledged", len(acknowledged), f"of {int(RATE * SECONDS)}")


def row(what: str, value: float, unit: str) -> None:
    print(f"{what:<40} {value:>10,.1f} {unit}", flush=True)


def main() -> None:
    """Measure, and print a table."""
    directory = Path(tempfile.mkdtemp(prefix="inventory-bench-"))
    directory.chmod(0o711)
    try:
        with embedded.running(directory) as server:
            run(server, directory, rounds=3)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
