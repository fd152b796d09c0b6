"""
Using the embedded server: it comes up for the first user and goes when the last has gone.

Should it be killed under its users, they bring it up again.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from inventory.embedded.binaries import find_binaries
from inventory.embedded.cluster import Cluster, ServerFailed
from inventory.worker import Worker

GLANCE = 0.1
"""Seconds between looks at a server that does not answer."""
WATCH = 1.0
"""Seconds between looks at whether the server is still held up."""
PATIENCE = 300.0
"""Seconds to wait for a server that is held up and does not answer."""


@dataclass(frozen=True)
class Running:
    """An embedded server that is up."""

    url: str
    """As psycopg and psql take it; no password is needed, and none would do for anybody else."""
    binaries: Path
    """The directory of `psql`, `pg_dump` and the like."""
    data: Path
    version: int


@contextmanager
def running(
    home: Path, *, bindir: Path | None = None, options: Mapping[str, str] | None = None
) -> Iterator[Running]:
    """
    The server under *home*, up for as long as the context lasts.

    Whoever comes first brings it up, and makes its data if there is none; *options* are server
    settings for that case. A process that dies, however it dies, no longer uses it. A server that
    dies, however it dies, is brought up again: connections are lost, what was committed is not.

    Raises:
        NoPostgreSQL: There are no programs to run.
        HomeUnreachable: As root: PostgreSQL's user cannot get to *home*.
        OtherMajorVersion: The data needs another PostgreSQL.
        ServerFailed: It did not come up; the error holds the end of its log.
    """
    cluster = Cluster.at(home, find_binaries(bindir))
    with lock(cluster.home / "users.lock", fcntl.LOCK_SH):
        # From here on the keeper does not stop it. A keeper that is about to stop it holds this
        # lock for itself until it has, so we got here after that, and find it down.
        _bring_up(cluster, options or {})

        def watch(_: Callable[[], bool]) -> None:
            if not _is_kept(cluster):
                _bring_up(cluster, options or {})

        watcher = Worker("keeping the embedded PostgreSQL up", watch, every=WATCH)
        watcher.start()
        try:
            yield Running(
                cluster.url, cluster.binaries.bindir, cluster.data, cluster.binaries.major
            )
        finally:
            watcher.stop()


def has_data(home: Path) -> bool:
    """Whether there is a database under *home*; if not, `running` makes one."""
    return (home.expanduser() / "data" / "PG_VERSION").exists()


@contextmanager
def lock(path: Path, kind: int) -> Iterator[None]:
    """A lock on the file at *path*, which the kernel takes back when the process ends."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, kind)
        yield
    finally:
        os.close(descriptor)


def answers(cluster: Cluster) -> bool:
    """Whether a server answers, and is the one on this data."""
    try:
        with psycopg.connect(cluster.url, connect_timeout=10) as connection:
            row = connection.execute("SHOW data_directory").fetchone()
    except psycopg.OperationalError:
        return False
    return row is not None and Path(row[0]) == cluster.data


def _bring_up(cluster: Cluster, options: Mapping[str, str]) -> None:
    """Come back when the server answers, having started it if nobody else has."""
    deadline = time.monotonic() + PATIENCE
    while not answers(cluster):
        with lock(cluster.home / "starters.lock", fcntl.LOCK_EX):
            if not _is_kept(cluster):
                _start_keeper(cluster, options)
                return
        # Held up, and silent: paused, or drowned in work. A second keeper would wait for the first
        # to end, which it does when we have gone.
        if time.monotonic() > deadline:
            raise ServerFailed(f"(it is there, and does not answer)\n{cluster.log_tail()}")
        time.sleep(GLANCE)


def _is_kept(cluster: Cluster) -> bool:
    """Whether a keeper holds the server up; it ends as soon as the server does."""
    descriptor = os.open(cluster.home / "keeper.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _start_keeper(cluster: Cluster, options: Mapping[str, str]) -> None:
    """Start the process that holds the server up, and wait until it is."""
    reading, writing = os.pipe()
    try:
        task = json.dumps(
            {
                "home": str(cluster.home),
                "bindir": str(cluster.binaries.bindir),
                "version": cluster.binaries.version,
                "uid": cluster.uid,
                "gid": cluster.gid,
                "options": dict(options),
                "ready": writing,
            }
        )
        # The first process only forks the second, so that no parent has to wait for it.
        subprocess.run(
            [sys.executable, "-P", "-m", "inventory.embedded.keeper", task],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[writing],
            start_new_session=True,
            check=True,
        )
        os.close(writing)
        writing = -1
        with os.fdopen(reading, encoding="utf-8") as answer:
            reading = -1
            said = answer.read()
    finally:
        for descriptor in (reading, writing):
            if descriptor >= 0:
                os.close(descriptor)
    if said != "ready":
        raise ServerFailed(said or cluster.log_tail())
