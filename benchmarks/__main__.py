"""
`make bench`: each figure beside PostgreSQL's own, measured in the same run.

Machines differ, and shared ones are noisy; so every claim is a ratio between two things that were
measured in turn, several times, and the medians are compared.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from itertools import islice
from pathlib import Path

import psycopg

from inventory import embedded, projector, sample
from inventory.database import Database
from inventory.ingest import Intake, Outcome, Source
from inventory.ingest.framing import frames
from inventory.projector.follower import Follower

ACCOUNTS = 4
EVENTS_PER_NUMBER = 10

# What the law computes of versions, as one statement that PostgreSQL runs as fast as it can.
ONE_STATEMENT = """
CREATE TABLE rival AS
WITH compared AS (
    SELECT
        *,
        event_type <> 'Deleted'
            AND coalesce(usage_type, 'ContactCenterNumber') = 'ContactCenterNumber' AS inside,
        ROW (phone_number, payment_type, location, number_type, usage_type, status, provider_id,
            provider_name) AS state
    FROM inventory.event
),
neighbour AS (
    SELECT
        account_id, phone_number_id, occurred_at, position, phone_number, payment_type, location,
        number_type, usage_type, status, provider_id, provider_name, uri, inside, state,
        coalesce(lag(inside) OVER life, false) AS was_inside,
        lag(state) OVER life AS previous_state
    FROM compared
    WINDOW life AS (PARTITION BY account_id, phone_number_id ORDER BY occurred_at, position)
),
boundary AS (
    SELECT *, lead(occurred_at) OVER life AS valid_to, lead(position) OVER life AS closed_by
    FROM neighbour
    WHERE inside <> was_inside OR (inside AND state IS DISTINCT FROM previous_state)
    WINDOW life AS (PARTITION BY account_id, phone_number_id ORDER BY occurred_at, position)
)
SELECT
    account_id, phone_number_id, occurred_at AS valid_from, valid_to, phone_number, payment_type,
    location, number_type, usage_type, status, provider_id, provider_name, uri,
    position AS opened_by, closed_by
FROM boundary
WHERE inside
"""

LOOP_INSERT = """
INSERT INTO inventory.event (
    account_id, position, recorded_at, phone_number_id, event_uuid, event_type, origin, occurred_at,
    subscription_id, owner_id, phone_number, payment_type, location, number_type, usage_type,
    status, provider_id, provider_name, uri, payload, payload_sha256
)
SELECT
    %s, coalesce(max(position), 0) + 1, now(), %s, %s, %s, %s, %s,
    %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s
FROM inventory.event
WHERE account_id = %s
ON CONFLICT (account_id, phone_number_id, event_uuid) DO NOTHING
RETURNING position
"""
LOOP_UPSERT = """
INSERT INTO inventory.contact_center_number (
    account_id, phone_number_id, phone_number, payment_type, location, number_type, usage_type,
    status, provider_id, provider_name, uri, valid_from, entered_at, provider_since, last_position
) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (account_id, phone_number_id) DO UPDATE
SET phone_number = excluded.phone_number, payment_type = excluded.payment_type,
    location = excluded.location, number_type = excluded.number_type,
    usage_type = excluded.usage_type, status = excluded.status,
    provider_id = excluded.provider_id, provider_name = excluded.provider_name,
    uri = excluded.uri, valid_from = excluded.valid_from, last_position = excluded.last_position
WHERE contact_center_number.valid_from <= excluded.valid_from
"""


class Bench:
    """One PostgreSQL, with a database for each thing that is measured."""

    def __init__(self, server: embedded.Running, directory: Path) -> None:
        self._server = server
        self._directory = directory
        self._serial = 0

    @contextmanager
    def database(self) -> Iterator[Database]:
        """An empty, migrated database, dropped afterwards."""
        self._serial += 1
        name = f"bench_{self._serial}"
        with psycopg.connect(self._server.url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        database = Database(self._server.url.replace("@/inventory?", f"@/{name}?"), None)
        database.upgrade()
        yield database
        with psycopg.connect(self._server.url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def history(self, events: int) -> Path:
        """A file of notifications."""
        path = self._directory / f"{events}.ndjson"
        if not path.exists():
            numbers = events // EVENTS_PER_NUMBER // ACCOUNTS
            with path.open("wb") as file:
                lines = sample.history(events=events, numbers=numbers, accounts=ACCOUNTS)
                while chunk := list(islice(lines, 10_000)):
                    file.write(b"\n".join(chunk) + b"\n")
        return path

    def finished_rows(self, database: Database) -> Path:
        """The rows of an ingested history, as COPY writes them."""
        path = self._directory / "finished.copy"
        with database.connect() as connection, path.open("wb") as file:
            copy_out = "COPY inventory.event TO STDOUT"
            with connection.cursor().copy(copy_out) as copy:
                for block in copy:
                    file.write(block)
        return path


def timed(work: Callable[..., object], *arguments: object) -> float:
    """Seconds that *work* takes."""
    begun = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - begun


def settle(database: Database) -> None:
    """Let nothing that was done before weigh on what is measured next."""
    with database.connect(autocommit=True) as connection:
        connection.execute("CHECKPOINT")


def ingest(database: Database, path: Path) -> Outcome:
    total = Outcome()

    def written(outcome: Outcome) -> None:
        nonlocal total
        total += outcome

    intake = Intake("bench", account_id=None, future_tolerance=timedelta(days=1))
    with Source(str(path)) as source, database.connect() as connection:
        intake.run(connection, frames(source.blocks()), written)
    return total


def copy_in(database: Database, path: Path) -> None:
    """PostgreSQL's own limit: finished rows into the same table with the same indexes."""
    with database.connect() as connection, path.open("rb") as file:
        with connection.cursor().copy("COPY inventory.event FROM STDIN") as copy:
            while block := file.read(1024 * 1024):
                copy.write(block)
        connection.commit()


def fold(database: Database) -> None:
    for _ in projector.fold_all(database.connect):
        pass


def rebuild(database: Database) -> None:
    with database.connect() as connection:
        projector.rebuild(connection)
        connection.commit()


def one_statement(database: Database) -> None:
    with database.connect() as connection:
        connection.execute("SET LOCAL work_mem = '256MB'")
        connection.execute(ONE_STATEMENT)
        connection.commit()


def forget(database: Database) -> None:
    """Take the projection, and the rival's, back to nothing."""
    with database.connect(autocommit=True) as connection:
        connection.execute(
            "TRUNCATE inventory.contact_center_number, inventory.contact_center_number_version,"
            " inventory.contact_center_number_momentary_version, inventory.projection_checkpoint"
        )
        connection.execute("DROP TABLE IF EXISTS rival")


def loop(database: Database, payloads: Sequence[bytes]) -> float:
    """Seconds an event of a loop that commits one INSERT and one upsert an event."""
    intake = Intake("bench", account_id=None, future_tolerance=timedelta(days=1))
    with database.connect() as connection:
        begun = time.perf_counter()
        for payload in payloads:
            (event,) = intake.read([payload]).events
            key, said = (event.account_id, event.phone_number_id), event.attributes
            inserted = connection.execute(
                LOOP_INSERT,
                [event.account_id, *event[1:8], *said, *event[9:], event.account_id],
            ).fetchone()
            at = event.occurred_at
            connection.execute(LOOP_UPSERT, [*key, *said, at, at, at, inserted and inserted[0]])
            connection.commit()
        return (time.perf_counter() - begun) / len(payloads)


def thousand_more(database: Database, follower: Follower, seed: int, stride: int) -> float:
    """Seconds to fold 1,000 new events of as many numbers, each *stride* from the last."""
    intake = Intake("bench", account_id=None, future_tolerance=timedelta(days=1))
    with database.connect() as connection:
        outcome = intake.write(connection, intake.read(_later(seed, stride)))
    assert outcome.appended == 1000, outcome
    return timed(follower.turn, lambda: False)


def _later(seed: int, stride: int) -> list[bytes]:
    """1,000 events of one account that occur after all others, one a number."""
    return [
        (
            b'{"uuid":"later-%d-%d","event":"/restapi/v1.0/account/400000001/phone-number",'
            b'"timestamp":"2026-11-02T00:%02d:00.%03dZ","subscriptionId":"9d38419f",'
            b'"body":{"eventType":"Updated","phoneNumberInfo":{"id":"%d",'
            b'"phoneNumber":"+1%010d","usageType":"ContactCenterNumber","status":"Normal",'
            b'"contactCenterProvider":{"id":"%d","name":"Provider"}}}}'
        )
        % (seed, at, seed, at, 700000000 + at * stride, at, seed % 5)
        for at in range(1000)
    ]


def behind(bench: Bench, sizes: Sequence[int], rounds: int) -> dict[tuple[int, bool], float]:
    """
    Median seconds to fold 1,000 new events behind so many, by size and whether they are spread.

    Adjacent numbers lie on the same pages whatever the size, so only the log's length differs.
    Spread over all numbers of the account each has pages of its own, which the processor's caches
    hold of a small inventory and not of a large one. The sizes take turns, so that a noisy moment
    falls on all of them.
    """
    samples: dict[tuple[int, bool], list[float]] = {}
    with ExitStack() as databases:
        ready = {size: databases.enter_context(bench.database()) for size in sizes}
        for size, database in ready.items():
            ingest(database, bench.history(size))
            fold(database)
            with database.connect(autocommit=True) as connection:
                connection.execute("VACUUM ANALYZE")
            settle(database)
        followers = {size: Follower(database.connect) for size, database in ready.items()}
        for follower in followers.values():
            databases.callback(follower.close)
        for seed in range(0, 2 * rounds, 2):
            for size, database in ready.items():
                strides = {False: 1, True: size // EVENTS_PER_NUMBER // ACCOUNTS // 1000}
                for spread, stride in strides.items():
                    took = thousand_more(database, followers[size], seed + spread, stride)
                    samples.setdefault((size, spread), []).append(took)
    # The first touch of a page is the cache's matter.
    return {key: statistics.median(taken[2:]) for key, taken in samples.items()}


def main() -> None:
    """Measure, and print a table."""
    arguments = argparse.ArgumentParser(prog="make bench")
    arguments.add_argument("--events", type=int, default=1_000_000)
    arguments.add_argument("--behind", type=int, default=5_000_000)
    arguments.add_argument("--rounds", type=int, default=3)
    given = arguments.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="inventory-bench-"))
    directory.chmod(0o711)
    try:
        with embedded.running(directory, options={"shared_buffers": "2GB"}) as server:
            run(Bench(server, directory), given.events, given.behind, given.rounds)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def run(bench: Bench, events: int, far: int, rounds: int) -> None:
    print(f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}")
    print(f"{events:,} events of {ACCOUNTS} accounts, medians of {rounds} rounds\n", flush=True)
    path = bench.history(events)

    ingested: list[float] = []
    copied: list[float] = []
    folded: list[float] = []
    rebuilt: list[float] = []
    stated: list[float] = []
    for _ in range(rounds):
        with bench.database() as database:
            settle(database)
            ingested.append(timed(ingest, database, path))
            finished = bench.finished_rows(database)
            with database.connect(autocommit=True) as connection:
                connection.execute("VACUUM ANALYZE inventory.event")
            for samples, work in (
                (stated, one_statement),
                (folded, fold),
                (rebuilt, rebuild),
            ):
                settle(database)
                samples.append(timed(work, database))
                forget(database)
        with bench.database() as database:
            settle(database)
            copied.append(timed(copy_in, database, finished))
        finished.unlink()

    copy, statement = statistics.median(copied), statistics.median(stated)
    took = statistics.median(ingested)
    row("raw COPY of the finished rows", events / copy, "events/s")
    row("ingest", events / took, "events/s", copy / took, "of raw COPY")
    row("one CREATE TABLE AS", events / statement, "events/s")
    projected = statistics.median(folded)
    row("projection run, from nothing", events / projected, "events/s", statement / projected)
    anew = statistics.median(rebuilt)
    row("projection rebuild", events / anew, "events/s", statement / anew)

    beginning, end = sampled_loop(bench, path, events)
    looped = 2 / (beginning + end)
    row("a loop of INSERT, upsert, commit", looped, "events/s")
    row("  at the beginning", 1 / beginning, "events/s")
    row("  at the end", 1 / end, "events/s")
    both = events / (took + projected)
    row("ingest and projection together", both, "events/s", both / looped, "times the loop")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    row("peak memory of all this", peak, "MiB")

    near = 100_000
    took_behind = behind(bench, (near, far), 4 * rounds)
    for spread, which in ((False, "adjacent"), (True, "spread")):
        first, last = took_behind[near, spread], took_behind[far, spread]
        row(f"1,000 {which} behind {near:,}", first * 1000, "ms")
        row(f"1,000 {which} behind {far:,}", last * 1000, "ms", last / first, "of the former")


def sampled_loop(bench: Bench, path: Path, events: int) -> tuple[float, float]:
    """
    Seconds an event of the loop, where the history begins and where it ends.

    All of it would take half an hour.
    """
    with bench.database() as database, Source(str(path)) as source:
        first = next(frames(source.blocks()))[:1_000]
        settle(database)
        beginning = loop(database, first)
    with bench.database() as database:
        ingest(database, path)
        fold(database)
        settle(database)
        stride = events // EVENTS_PER_NUMBER // ACCOUNTS // 1000
        end = loop(database, [line for seed in range(2) for line in _later(seed, stride)])
    return beginning, end


def row(
    what: str, value: float, unit: str, ratio: float | None = None, of: str = "of CREATE TABLE AS"
) -> None:
    beside = "" if ratio is None else f"   {ratio:6.2f} {of}"
    print(f"{what:<36}{value:>12,.0f} {unit:<9}{beside}", flush=True)


if __name__ == "__main__":
    main()
