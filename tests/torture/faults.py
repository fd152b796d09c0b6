"""What is done to the machine, and how often each is chosen."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import NamedTuple

import psycopg

from tests.torture.machine import FOLLOWER, SERVERS, Machine

Done = bool
"""Whether there was something to do it to."""


class Fault(NamedTuple):
    """One kind of misfortune."""

    name: str
    strike: Callable[[Machine, Random], Done]
    weight: int
    kills: bool
    """Whether it is by SIGKILL, or worse."""
    obstacle: Callable[[Machine], str | None] = lambda _: None
    """Why it cannot be had on this machine; null: it can."""


def _kill_server(machine: Machine, random: Random) -> Done:
    return machine.kill(random.choice(SERVERS))


def _kill_servers(machine: Machine, _: Random) -> Done:
    killed = [machine.kill(name) for name in SERVERS]
    return all(killed)


def _kill_follower(machine: Machine, _: Random) -> Done:
    return machine.kill(FOLLOWER)


def _kill_rebuild(machine: Machine, random: Random) -> Done:
    return _kill_in_time(machine.run("projection", "rebuild"), random)


def _kill_postgresql(machine: Machine, _: Random) -> Done:
    return machine.kill_cluster()


def _kill_postmaster(machine: Machine, _: Random) -> Done:
    """The postmaster alone: its children notice, and end."""
    return _kill(machine.postmaster())


def _kill_backend(machine: Machine, random: Random) -> Done:
    """
    One of its children, of whatever kind: the postmaster throws out the others, and recovers.

    Never while it recovers: PostgreSQL 18 takes no notice of an I/O worker that dies then, hands
    it work for ever after, and all who read wait for it.
    """
    with suppress(psycopg.Error), machine.connect() as connection:
        children = "SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid() ORDER BY pid"
        victims = [pid for (pid,) in connection.execute(children)]
        return bool(victims) and _kill(random.choice(victims))
    return False


def _kill_keeper(machine: Machine, _: Random) -> Done:
    """What holds PostgreSQL up: PostgreSQL shuts down under its users."""
    return _kill(machine.keeper())


def _kill_everything(machine: Machine, _: Random) -> Done:
    keeper = machine.keeper()
    machine.kill_commands()
    for name in (*SERVERS, FOLLOWER):
        machine.kill(name)
    return machine.kill_cluster() | _kill(keeper)


def _cut_power(machine: Machine, _: Random) -> Done:
    machine.cut_power()
    return True


def _drop_connections(machine: Machine, random: Random) -> Done:
    statement = """
    SELECT count(pg_terminate_backend(pid))
    FROM (
        SELECT pid
        FROM pg_stat_activity
        WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
        ORDER BY random()
        LIMIT %s
    ) AS victim
    """
    with suppress(psycopg.Error), machine.connect() as connection:
        row = connection.execute(statement, [random.randrange(1, 6)]).fetchone()
        return row is not None and row[0] > 0
    return False


def _pause(machine: Machine, random: Random) -> Done:
    """PostgreSQL says nothing, for longer than anybody waits for an answer."""
    done = machine.pause()
    time.sleep(random.uniform(3.2, 5.0))
    machine.resume()
    return done


def _fill_disk(machine: Machine, random: Random) -> Done:
    machine.disk.fill()
    time.sleep(random.uniform(1.5, 3.5))
    machine.disk.free()
    return True


def _move_clock(machine: Machine, random: Random) -> Done:
    random.choice(machine.clocks).set(random.randrange(-172_800, 172_800))
    return True


def _disk_obstacle(machine: Machine) -> str | None:
    return machine.disk.obstacle


def _clock_obstacle(machine: Machine) -> str | None:
    return machine.clocks[0].obstacle


FAULTS = (
    Fault("server killed", _kill_server, 8, kills=True),
    Fault("both servers killed", _kill_servers, 2, kills=True),
    Fault("follower killed", _kill_follower, 3, kills=True),
    Fault("rebuild killed", _kill_rebuild, 3, kills=True),
    Fault("PostgreSQL killed, whole", _kill_postgresql, 3, kills=True),
    Fault("postmaster killed alone", _kill_postmaster, 2, kills=True),
    Fault("backend killed", _kill_backend, 3, kills=True),
    Fault("keeper killed", _kill_keeper, 1, kills=True),
    Fault("everything killed at once", _kill_everything, 1, kills=True),
    Fault("power cut", _cut_power, 1, kills=True, obstacle=_disk_obstacle),
    Fault("connections dropped", _drop_connections, 3, kills=False),
    Fault("PostgreSQL paused", _pause, 1, kills=False),
    Fault("disk filled", _fill_disk, 1, kills=False, obstacle=_disk_obstacle),
    Fault("clock moved", _move_clock, 2, kills=False, obstacle=_clock_obstacle),
)


def _kill(pid: int | None) -> Done:
    if pid is None:
        return False
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def _kill_in_time(process: subprocess.Popen[bytes], random: Random) -> Done:
    """Kill *process* at some moment of its life; false: it had ended by then."""
    with suppress(subprocess.TimeoutExpired):
        process.wait(random.uniform(0.5, 3.0))
    process.kill()
    return process.wait() == -signal.SIGKILL
