"""
Looking at it: how long pages take, and how many pages of a list the read API gives a second.

Server, PostgreSQL and whoever asks share the machine's processors. The times are the client's, so
they are no less than the server's own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx
import psycopg

from benchmarks import as_of
from benchmarks.__main__ import fold
from benchmarks.receiver import row, running
from inventory import embedded
from inventory.database import Database

ACCOUNTS = 4
CLIENTS = 8
SECONDS = 8.0
BROWSER = {"Accept": "text/html"}


def prepare(database: Database, events: int, numbers: int) -> None:
    """A history of so many numbers, folded."""
    as_of.fill(database, events, numbers=numbers // ACCOUNTS, accounts=ACCOUNTS)
    fold(database)
    with database.connect(autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")


def paths(database: Database) -> list[str]:
    """Addresses of pages, each kind at least once."""
    with database.connect() as connection:
        found = connection.execute(
            "SELECT account_id, phone_number_id, phone_number"
            " FROM inventory.contact_center_number_version ORDER BY random() LIMIT 1"
        ).fetchone()
        assert found is not None
        account, number, called = found
        then, until = connection.execute(
            "SELECT max(occurred_at) - interval '300 days', max(occurred_at) - interval '293 days'"
            " FROM inventory.event"
        ).fetchone() or (None, None)
    assert then is not None
    at, week = quote(then.isoformat()), f"since={quote(then.isoformat())}"
    return [
        "/",
        "/numbers",
        "/numbers?provider=1&status=Normal",
        "/numbers?sort=-since",
        f"/numbers?at={at}",
        f"/numbers/{account}/{number}",
        f"/numbers/{account}/{number}?at={at}",
        f"/search?q={quote(called)}",
        "/changes",
        f"/changes?{week}&until={quote(until.isoformat())}",
        "/reassignments",
        f"/reassignments?{week}",
        "/reconciliations",
        "/quarantine",
        "/system",
    ]


def looked_at(url: str, wanted: Sequence[str], rounds: int) -> None:
    """Print what each page takes."""
    with httpx.Client(base_url=url, headers=BROWSER, timeout=60, follow_redirects=True) as client:
        for path in wanted:
            took = []
            for _ in range(rounds):
                begun = time.perf_counter()
                response = client.get(path)
                took.append((time.perf_counter() - begun) * 1000)
                assert response.status_code == 200, (path, response.status_code)
            row(urlsplit(path).path + ("?…" if "?" in path else ""), statistics.median(took), "ms")
            print(f"    {path[:90]}: worst {max(took):.1f}", flush=True)


async def listed(url: str) -> float:
    """Pages of 100 rows a second; each client walks the list from its beginning to its end."""
    address = urlsplit(url)
    until = time.perf_counter() + SECONDS
    pages = 0

    async def walk() -> None:
        nonlocal pages
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        cursor = None
        while time.perf_counter() < until:
            after = "" if cursor is None else f"&cursor={cursor}"
            writer.write(
                f"GET /api/v1/numbers?limit=100{after} HTTP/1.1\r\n"
                f"Host: 127.0.0.1\r\nAccept: application/json\r\n\r\n".encode()
            )
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 "), head
            length = next(
                int(line.partition(b":")[2])
                for line in head.splitlines()
                if line.lower().startswith(b"content-length:")
            )
            body = await reader.readexactly(length)
            pages += 1
            # The rows are not read: that is not what is measured.
            cursor = json.loads(b"{" + body[body.rindex(b'"next"') :])["next"]
        writer.close()

    begun = time.perf_counter()
    await asyncio.gather(*(walk() for _ in range(CLIENTS)))
    return pages / (time.perf_counter() - begun)


def run(server: embedded.Running, events: int, numbers: int, rounds: int) -> None:
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE reading")
    database = Database(server.url.replace("@/inventory?", "@/reading?"), None)
    database.upgrade()
    prepare(database, events, numbers)
    with database.connect() as connection:
        found = connection.execute(
            "SELECT (SELECT count(*) FROM inventory.contact_center_number),"
            " (SELECT count(*) FROM inventory.event)"
        ).fetchone()
    assert found is not None
    print(f"{found[0]:,} numbers in Contact Center, {found[1]:,} events", flush=True)
    bare, ours = [], []
    for _ in range(rounds):
        with running("benchmarks.rival", "page", database.url) as url:
            bare.append(asyncio.run(listed(url)))
        with running(
            "inventory", "serve", "--port", "0", INVENTORY_DATABASE_URL=database.url
        ) as url:
            ours.append(asyncio.run(listed(url)))
    row("the bare framework, one page in memory", statistics.median(bare), "pages/s")
    row("read API, the list walked by cursors", statistics.median(ours), "pages/s")
    print(f"  {statistics.median(ours) / statistics.median(bare):.2f} of the bare framework")
    with running("inventory", "serve", "--port", "0", INVENTORY_DATABASE_URL=database.url) as url:
        looked_at(url, paths(database), 3 * rounds)


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--numbers", type=int, default=140_000)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="inventory-bench-"))
    directory.chmod(0o711)
    try:
        with embedded.running(directory) as server:
            run(server, asked.events, asked.numbers, asked.rounds)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
