"""
The process that holds the embedded server up while anybody uses it, then stops it and ends.

Users hold a shared lock. When the keeper gets that lock for itself, nobody uses the server; it
keeps the lock until the server is down, so that whoever comes meanwhile waits, and starts anew.
The kernel takes back the lock of a user that is killed, and tells the server when the keeper is.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psycopg

from inventory.embedded.binaries import Binaries
from inventory.embedded.cluster import ROLE, Cluster, ServerFailed
from inventory.embedded.running import answers, lock
from inventory.errors import InventoryError

GLANCE = 0.1
"""Seconds between looks at whether anybody is left."""
RECOVERY = 300.0
"""Seconds to come up: crash recovery after a bulk import takes its time."""
LINGER = 15.0
"""Seconds to wait for what a killed server left behind to go."""


def main() -> None:
    """Run a keeper for the task in the first argument."""
    task = json.loads(sys.argv[1])
    if os.fork():
        os._exit(0)
    stopping: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _: stopping.append(received))
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    binaries = Binaries(Path(task["bindir"]), task["version"])
    cluster = Cluster(Path(task["home"]), binaries, task["uid"], task["gid"])
    with (
        lock(cluster.home / "keeper.lock", fcntl.LOCK_EX),
        os.fdopen(task["ready"], "w", encoding="utf-8") as ready,
    ):
        try:
            server = _come_up(cluster, task["options"])
        except InventoryError as error:
            ready.write(str(error))
            return
        ready.write("ready")
        ready.close()
        _keep(cluster, server, stopping)


def _come_up(cluster: Cluster, options: dict[str, str]) -> subprocess.Popen[bytes]:
    """A server that answers. What a killed one left behind is waited for, for a while."""
    if not cluster.exists:
        cluster.make()
    deadline = time.monotonic() + LINGER
    while cluster.postmaster() is not None and time.monotonic() < deadline:
        time.sleep(GLANCE)
    while True:
        with cluster.log.open("wb") as log:
            server = cluster.start(options, log)
        if _ready(cluster, server):
            return server
        if "still in use" not in cluster.log_tail() or time.monotonic() > deadline:
            raise ServerFailed(cluster.log_tail())
        time.sleep(GLANCE)


def _ready(cluster: Cluster, server: subprocess.Popen[bytes]) -> bool:
    """Whether *server* comes up; its database is there then."""
    deadline = time.monotonic() + RECOVERY
    while server.poll() is None:
        if answers(cluster) or _made_database(cluster):
            return True
        if time.monotonic() > deadline:
            _stop(server)
        time.sleep(0.02)
    return False


def _made_database(cluster: Cluster) -> bool:
    """Make our database in a cluster that is new. False: the server does not answer yet."""
    try:
        with psycopg.connect(cluster.url_of("postgres"), autocommit=True) as connection:
            found = connection.execute("SELECT FROM pg_database WHERE datname = %s", [ROLE])
            if found.fetchone() is None:
                connection.execute(f"CREATE DATABASE {ROLE}")
    except psycopg.OperationalError:
        return False
    return True


def _keep(cluster: Cluster, server: subprocess.Popen[bytes], stopping: list[int]) -> None:
    users = os.open(cluster.home / "users.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    while server.poll() is None:
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not stopping:
                time.sleep(GLANCE)
                continue
        _stop(server)
    os.close(users)


def _stop(server: subprocess.Popen[Any]) -> None:
    """Stop *server*: politely, then firmly. Never SIGTERM, which waits for its clients."""
    for request, seconds in ((signal.SIGINT, 30), (signal.SIGQUIT, 10), (signal.SIGKILL, None)):
        server.send_signal(request)
        try:
            server.wait(seconds)
        except subprocess.TimeoutExpired:
            continue
        return


if __name__ == "__main__":
    main()
