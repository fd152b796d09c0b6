"""What the campaign runs on: a cluster of its own, and the product's processes on it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from urllib.request import urlopen

import psycopg
from psycopg import Connection

from inventory import embedded
from inventory.embedded.cluster import Cluster
from tests.conftest import clean_environment
from tests.torture.clock import Clock, sweep
from tests.torture.disk import Disk
from tests.torture.senders import TOKEN

SERVERS = ("server 1", "server 2")
FOLLOWER = "follower"
RESTART = 0.2
"""Seconds until a process that ended is started again, as an init system does."""


class Machine:
    """
    Processes that are started again when they end, and a PostgreSQL that they bring up themselves.

    Args:
        directory: Others must be able to pass it.
        serve: The module that is run as the server.
    """

    def __init__(self, directory: Path, serve: str = "inventory") -> None:
        self.directory = directory
        self.disk = Disk(directory)
        self.clocks = [Clock(directory / f"clock-{nth}") for nth in range(2)]
        self.home = self.disk.path / "home"
        self.ports = dict(zip(SERVERS, _free_ports(len(SERVERS)), strict=True))
        self.gave_up: Counter[str] = Counter()
        """How often a process ended by itself, as one may that comes and finds no database."""
        self.deserted: list[str] = []
        """Servers that ended by themselves when they had served already, as none may."""
        self._serve = serve
        self._begun = time.time()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._commands: deque[subprocess.Popen[bytes]] = deque(maxlen=10)
        self._watched = threading.Lock()
        self._killed: set[int] = set()
        self._starts = count(1)
        self._logs: dict[str, Path] = {}
        self._down = threading.Event()
        # Whoever only looks on starts no server, and need not know whom it runs as.
        self._cluster = Cluster(self.home, embedded.find_binaries(), os.geteuid(), os.getegid())
        self._supervisor = threading.Thread(target=self._supervise, daemon=True)

    def start(self) -> None:
        """Bring up everything, and come back when it answers."""
        self._start_all()
        self._supervisor.start()
        self.wait_until_ready()

    def stop(self) -> None:
        """End everything."""
        self._down.set()
        self._supervisor.join()
        with self._watched:
            for process in self._processes.values():
                process.kill()
                process.wait()
        self.kill_commands()
        self.resume()
        self.kill_cluster()
        self.disk.remove()

    def clear(self) -> None:
        """Leave no trace."""
        shutil.rmtree(self._cluster.socket_directory, ignore_errors=True)
        shutil.rmtree(self.directory, ignore_errors=True)
        sweep(self._begun)

    # -- processes -----------------------------------------------------------------------------

    def run(self, *arguments: str) -> subprocess.Popen[bytes]:
        """A command of the product's, by itself; what it says goes to the log of commands."""
        with (self.directory / "commands.log").open("ab") as log:
            command = self._popen([*_module("inventory"), *arguments], 1, log.fileno())
        self._commands.append(command)
        return command

    def ask(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command of the product's, run to its end, at the true time."""
        return subprocess.run(
            [*_module("inventory"), *arguments],
            env=self._environment({}),
            capture_output=True,
            text=True,
            check=False,
        )

    def kill(self, name: str) -> bool:
        """Kill the process of that *name*; false: it was not there."""
        with self._watched:
            process = self._processes.get(name)
            if process is None or process.poll() is not None:
                return False
            self._killed.add(process.pid)
            process.kill()
            return True

    def kill_commands(self) -> None:
        """Kill whatever `run` has started."""
        for command in self._commands:
            command.kill()

    def _start_all(self) -> None:
        with self._watched:
            for name in (*SERVERS, FOLLOWER):
                self._start(name)

    def _start(self, name: str) -> None:
        self._logs[name] = self.directory / f"{name.replace(' ', '-')}-{next(self._starts)}.log"
        with self._logs[name].open("wb") as log:
            if name == FOLLOWER:
                command, clock = [*_module("inventory"), "projection", "run", "--follow"], 1
            else:
                port = str(self.ports[name])
                command, clock = [*_module(self._serve), "serve", "--port", port], 0
            self._processes[name] = self._popen(command, clock, log.fileno())

    def _popen(self, command: list[str], clock: int, output: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command,
            env=self._environment(self.clocks[clock].environment),
            cwd=Path(__file__).parents[2],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )

    def _environment(self, clock: dict[str, str]) -> dict[str, str]:
        ours = {"INVENTORY_HOME": str(self.home), "INVENTORY_WEBHOOK_TOKEN": TOKEN}
        return clean_environment() | ours | clock

    def _supervise(self) -> None:
        while not self._down.wait(RESTART):
            with self._watched:
                for name, process in list(self._processes.items()):
                    if process.poll() is None:
                        continue
                    if process.pid not in self._killed:
                        self._ended(name, process.returncode)
                    self._start(name)

    def _ended(self, name: str, code: int) -> None:
        said = self._logs[name].read_text(errors="replace")
        if "listening on" in said:
            self.deserted.append(f"{name} ended with {code}: {said[-2000:]}")
        else:
            self.gave_up[name] += 1

    # -- the cluster ---------------------------------------------------------------------------

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """A connection of an onlooker's."""
        with psycopg.connect(self._cluster.url, connect_timeout=10, autocommit=True) as connection:
            yield connection

    def postmaster(self) -> int | None:
        return self._cluster.postmaster()

    def signal_cluster(self, number: signal.Signals) -> int:
        """Send a signal to the postmaster and all its children, and say to how many."""
        postmaster = self.postmaster()
        if postmaster is None:
            return 0
        return sum(_send(pid, number) for pid in (postmaster, *_children(postmaster)))

    def kill_cluster(self) -> bool:
        """Kill PostgreSQL, whole; false: it was down."""
        return self.signal_cluster(signal.SIGKILL) > 0

    def pause(self) -> bool:
        """Stop PostgreSQL from doing anything; false: it was down."""
        return self.signal_cluster(signal.SIGSTOP) > 0

    def resume(self) -> None:
        self.signal_cluster(signal.SIGCONT)

    def keeper(self) -> int | None:
        """The process that holds PostgreSQL up."""
        postmaster = self.postmaster()
        return None if postmaster is None else _parent(postmaster)

    def cut_power(self) -> None:
        """The disk first, then every process; then all of it comes back."""
        with self._watched:
            self.disk.fail()
            for process in self._processes.values():
                self._killed.add(process.pid)
                process.kill()
                process.wait()
            self.disk.reconnect()
            for name in self._processes:
                self._start(name)

    # -- waiting -------------------------------------------------------------------------------

    def wait_until_ready(self) -> None:
        """Come back when every server says that it is ready."""
        for name, port in self.ports.items():
            self.wait(lambda port=port: _ready(port), f"{name} to be ready")  # type: ignore[misc]

    def wait_until_folded(self) -> None:
        """Come back when the projection is at the head of the log."""
        self.wait(self._folded, "the projection to come to the head of the log")

    def wait(self, condition: Callable[[], bool], what: str, seconds: float = 180) -> None:
        """
        Come back as soon as *condition* holds.

        Raises:
            Stuck: It never did.
        """
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise Stuck(what, seconds, self._cluster.log_tail())
            time.sleep(0.05)

    def _folded(self) -> bool:
        lagging = """
        SELECT FROM inventory.account
        LEFT JOIN inventory.projection_checkpoint AS checkpoint USING (account_id)
        WHERE account.position IS DISTINCT FROM checkpoint.position
        """
        with suppress(psycopg.Error), self.connect() as connection:
            return connection.execute(lagging).fetchone() is None
        return False


class Stuck(Exception):
    """What was killed did not come up again."""

    def __init__(self, what: str, seconds: float, log: str) -> None:
        super().__init__(f"expected {what} within {seconds:g} s; PostgreSQL's log ends:\n{log}")


@contextmanager
def a_machine(serve: str = "inventory") -> Iterator[Machine]:
    """A machine that is up, and is gone without a trace afterwards."""
    directory = Path(tempfile.mkdtemp(prefix="inventory-torture-"))
    directory.chmod(0o711)
    machine = Machine(directory, serve)
    try:
        machine.start()
        yield machine
    finally:
        machine.stop()
        machine.clear()


def _module(module: str) -> list[str]:
    return [sys.executable, "-m", module]


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _ready(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/readyz", timeout=10) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _children(parent: int) -> list[int]:
    return [
        int(process.name)
        for process in Path("/proc").glob("[0-9]*")
        if _parent(int(process.name)) == parent
    ]


def _parent(pid: int) -> int | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return int(stat.rpartition(")")[2].split()[1])


def _send(pid: int, number: signal.Signals) -> bool:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True
