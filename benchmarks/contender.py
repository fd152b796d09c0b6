"""
One contender at one task, in a process of its own: `python -m benchmarks.contender TASK URL FILE`.

Each task keeps the notifications in FILE its own way and prints what it took as JSON. What rivals
do not do is not held against them: they get notifications read, and ours are read while the clock
runs.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias

import psycopg
from eventsourcing.persistence import StoredEvent, Tracking
from eventsourcing.postgres import (
    PostgresApplicationRecorder,
    PostgresDatastore,
    PostgresTrackingRecorder,
)

from inventory import projector
from inventory.database import Database
from inventory.ingest import Intake

BATCH = 5_000
Found: TypeAlias = dict[str, Any]

ADVISORY = """
CREATE TABLE IF NOT EXISTS advisory_event (
    account_id text, position bigint, phone_number_id text, payload json,
    PRIMARY KEY (account_id, position)
)
"""
ADVISORY_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"
ADVISORY_INSERT = """
INSERT INTO advisory_event (account_id, position, phone_number_id, payload)
SELECT %s, coalesce(max(position), 0) + 1, %s, %s FROM advisory_event WHERE account_id = %s
"""
UPSERT = """
INSERT INTO rival_number (account_id, phone_number_id, info) VALUES (%s, %s, %s)
ON CONFLICT (account_id, phone_number_id) DO UPDATE SET info = excluded.info
"""
RIVAL_NUMBER = """
CREATE TABLE IF NOT EXISTS rival_number (
    account_id text, phone_number_id text, info jsonb, PRIMARY KEY (account_id, phone_number_id)
)
"""


def batches(path: Path, size: int = BATCH) -> Iterator[list[bytes]]:
    """The notifications of a file, one a line."""
    with path.open("rb") as file:
        lines = iter(file)
        while chunk := [line.rstrip(b"\n") for line in islice(lines, size)]:
            yield chunk


def one_by_one(path: Path, append: Callable[[bytes], object]) -> Found:
    """Seconds that each of them takes, made durable before the next is begun."""
    took = []
    begun = time.perf_counter()
    for (line,) in batches(path, 1):
        at = time.perf_counter()
        append(line)
        took.append(time.perf_counter() - at)
    return {"seconds": time.perf_counter() - begun, "took": took}


def whom(line: bytes) -> tuple[str, str]:
    """The account and the number that a notification is about."""
    said = json.loads(line)
    return said["event"].split("/")[4], said["body"]["phoneNumberInfo"]["id"]


def size_of(connection: psycopg.Connection, *tables: str) -> int:
    """Bytes on disk, with indexes and what is stored out of line."""
    total = 0
    for table in tables:
        row = connection.execute("SELECT pg_total_relation_size(%s::regclass)", [table]).fetchone()
        total += row[0] if row else 0
    return total


# -- ours ---------------------------------------------------------------------------------------


def _intake() -> Intake:
    return Intake("bench", account_id=None, future_tolerance=timedelta(days=1))


def ours_bulk(url: str, path: Path) -> Found:
    with psycopg.connect(url) as connection:
        begun = time.perf_counter()
        _intake().run(connection, batches(path), lambda _: None)
        seconds = time.perf_counter() - begun
        log = ("inventory.event", "inventory.seal", "inventory.account")
        return {"seconds": seconds, "bytes": size_of(connection, *log)}


def ours_single(url: str, path: Path) -> Found:
    intake = _intake()
    with psycopg.connect(url) as connection:
        return one_by_one(path, lambda line: intake.write(connection, intake.read([line])))


def ours_projection(url: str, _: Path) -> Found:
    database = Database(url, None)
    begun = time.perf_counter()
    for _folded in projector.fold_all(database.connect):
        pass
    return {"seconds": time.perf_counter() - begun}


# -- PostgreSQL's own limits ----------------------------------------------------------------------


def copy_bulk(url: str, path: Path) -> Found:
    """The payloads alone, into a table without an index."""
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE copied (payload json)")
        begun = time.perf_counter()
        with connection.cursor().copy("COPY copied FROM STDIN") as copy:
            for batch in batches(path):
                copy.write(b"".join(line.replace(b"\\", b"\\\\") + b"\n" for line in batch))
        connection.commit()
        seconds = time.perf_counter() - begun
        return {"seconds": seconds, "bytes": size_of(connection, "copied")}


# -- the eventsourcing library ---------------------------------------------------------------------


def _datastore(url: str) -> PostgresDatastore:
    told = psycopg.conninfo.conninfo_to_dict(url)
    return PostgresDatastore(
        str(told["dbname"]),
        str(told["host"]),
        5432,
        str(told["user"]),
        "",
        originator_id_type="text",
        # What it offers beside its default, and the faster of the two.
        enable_db_functions=True,
        schema="public",
    )


class _Versions:
    """Stored events of numbers, each the next version of its number."""

    def __init__(self) -> None:
        self._versions: dict[str, int] = {}

    def of(self, line: bytes) -> StoredEvent:
        id_ = "/".join(whom(line))
        version = self._versions[id_] = self._versions.get(id_, 0) + 1
        return StoredEvent(
            originator_id=id_, originator_version=version, topic="Updated", state=line
        )


def _recorder(store: PostgresDatastore) -> PostgresApplicationRecorder:
    recorder = PostgresApplicationRecorder(store)
    recorder.create_table()
    return recorder


def eventsourcing_bulk(url: str, path: Path) -> Found:
    with _datastore(url) as store:
        recorder, versions = _recorder(store), _Versions()
        ready = [[versions.of(line) for line in batch] for batch in batches(path)]
        begun = time.perf_counter()
        for events in ready:
            recorder.insert_events(events)
        seconds = time.perf_counter() - begun
    with psycopg.connect(url) as connection:
        return {"seconds": seconds, "bytes": size_of(connection, "public.stored_events")}


def eventsourcing_single(url: str, path: Path) -> Found:
    with _datastore(url) as store:
        recorder, versions = _recorder(store), _Versions()
        return one_by_one(path, lambda line: recorder.insert_events([versions.of(line)]))


class _View(PostgresTrackingRecorder):
    """A projection as the library has them: a row and the place in the log, event by event."""

    def take(self, key: Sequence[str], info: str, tracking: Tracking) -> None:
        with self.datastore.transaction(commit=True) as cursor:
            cursor.execute(UPSERT, [*key, info])
            self._insert_tracking(cursor, tracking)


def eventsourcing_projection(url: str, _: Path) -> Found:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(RIVAL_NUMBER)
    with _datastore(url) as store:
        recorder, view = _recorder(store), _View(store)
        view.create_table()
        begun = time.perf_counter()
        after = None
        while found := recorder.select_notifications(after, 1_000, inclusive_of_start=False):
            for each in found:
                info = json.dumps(json.loads(each.state)["body"]["phoneNumberInfo"])
                key = str(each.originator_id).split("/")
                view.take(key, info, Tracking("bench", each.id))
            after = found[-1].id
        return {"seconds": time.perf_counter() - begun}


# -- a log under an advisory lock ------------------------------------------------------------------


def advisory_bulk(url: str, path: Path) -> Found:
    with psycopg.connect(url) as connection:
        connection.execute(ADVISORY)
        connection.commit()
        ready = [[(*whom(line), line.decode()) for line in batch] for batch in batches(path)]
        begun = time.perf_counter()
        for batch in ready:
            for account in sorted({account for account, _, _ in batch}):
                connection.execute(ADVISORY_LOCK, [account])
            rows = [(account, number, line, account) for account, number, line in batch]
            connection.cursor().executemany(ADVISORY_INSERT, rows)
            connection.commit()
        seconds = time.perf_counter() - begun
        return {"seconds": seconds, "bytes": size_of(connection, "advisory_event")}


def advisory_single(url: str, path: Path) -> Found:
    with psycopg.connect(url) as connection:
        connection.execute(ADVISORY)
        connection.commit()

        def append(line: bytes) -> None:
            account, number = whom(line)
            connection.execute(ADVISORY_LOCK, [account])
            connection.execute(ADVISORY_INSERT, [account, number, line.decode(), account])
            connection.commit()

        return one_by_one(path, append)


TASKS: dict[str, Callable[[str, Path], Found]] = {
    task.__name__: task
    for task in (
        *(ours_bulk, ours_single, ours_projection, copy_bulk),
        *(eventsourcing_bulk, eventsourcing_single, eventsourcing_projection),
        *(advisory_bulk, advisory_single),
    )
}


def main() -> None:
    """Do the task, and print what it took."""
    task, url, path = sys.argv[1:]
    found = TASKS[task](url, Path(path))
    found["memory"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps(found))


if __name__ == "__main__":
    main()
