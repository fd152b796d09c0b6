from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from inventory import listener as room
from inventory.database import Database
from inventory.listener import Listener
from inventory.ringcentral import RingCentral
from tests.conftest import clean_environment
from tests.ringcentral.conftest import Simulated
from tests.waiting import until


class Listening:
    """A listener in a thread, and what it heard."""

    def __init__(self, client: RingCentral) -> None:
        self.taken: list[bytes] = []
        self.missed: list[str] = []
        self.waited: list[float] = []
        self.broken = False
        self._stopped = threading.Event()
        self.listener = Listener(
            client,
            take=self._take,
            missed=self.missed.append,
            stopped=self._stopped.is_set,
            wait=self._wait,
        )
        self._thread = threading.Thread(target=self.listener.run)
        self._thread.start()

    def _take(self, payload: bytes) -> None:
        if self.broken:
            raise OSError("no database")
        self.taken.append(payload)

    def _wait(self, seconds: float) -> None:
        self.waited.append(seconds)
        self._stopped.wait(0.01)

    @property
    def uuids(self) -> list[str]:
        return [json.loads(payload)["uuid"] for payload in self.taken]

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()


@pytest.fixture
def listening(client: RingCentral, monkeypatch: pytest.MonkeyPatch) -> Iterator[Listening]:
    monkeypatch.setattr(room, "SILENCE", 0.2)
    it = Listening(client)
    try:
        until(lambda: it.listener.subscribed)
        yield it
    finally:
        it.stop()


def create(simulated: Simulated, numbers: int = 1) -> None:
    for _ in range(numbers):
        simulated.simulator.call(simulated.platform.create)
    simulated.simulator.drain()


def within(simulated: Simulated, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Start *work* in the simulator's event loop."""
    simulated.simulator.call(lambda: asyncio.ensure_future(work()))


def cut(simulated: Simulated) -> None:
    before = simulated.simulator.gateway.connections
    within(simulated, simulated.simulator.gateway.cut)
    until(lambda: simulated.simulator.gateway.connections > before)


def test_what_happens_is_heard_and_the_first_time_leaves_word_for_a_reconciliation(
    simulated: Simulated, listening: Listening
) -> None:
    create(simulated, 3)
    until(lambda: len(listening.taken) == 3)
    assert listening.missed == ["a WebSocket was opened"]


def test_what_is_said_in_the_silence_keeps_it_open(
    simulated: Simulated, listening: Listening
) -> None:
    until(lambda: simulated.simulator.gateway.heartbeats > 2)
    create(simulated)
    until(lambda: listening.taken)
    assert simulated.simulator.gateway.connections == 1


def test_after_a_cut_it_takes_up_where_it_had_ended(
    simulated: Simulated, listening: Listening
) -> None:
    for _ in range(3):
        create(simulated, 5)
        until(lambda: len(listening.taken) % 5 == 0)
        cut(simulated)
    create(simulated)
    until(lambda: len(listening.taken) == 16)
    assert len(set(listening.uuids)) == 16
    assert listening.listener.subscribed == 1
    assert len(listening.missed) == 1


def test_what_came_during_a_cut_is_heard_afterwards(
    simulated: Simulated, listening: Listening
) -> None:
    create(simulated)
    until(lambda: listening.taken)
    simulated.platform.faults.refuse = 1.0  # so that it cannot come back yet
    gateway = simulated.simulator.gateway
    within(simulated, gateway.cut)
    until(lambda: all(session.socket is None for session in gateway._sessions))
    create(simulated, 4)
    assert len(listening.taken) == 1
    simulated.platform.faults.refuse = 0.0
    until(lambda: len(listening.taken) == 5)
    assert len(listening.missed) == 1


def test_when_it_cannot_take_up_it_subscribes_and_leaves_word(
    simulated: Simulated, listening: Listening
) -> None:
    create(simulated)
    until(lambda: listening.taken)
    simulated.simulator.gateway.recovers = False
    cut(simulated)
    until(lambda: listening.listener.subscribed == 2)
    until(lambda: len(listening.missed) == 2)
    create(simulated)
    until(lambda: len(listening.taken) == 2)


def test_what_could_not_be_written_is_sent_again(
    simulated: Simulated, listening: Listening
) -> None:
    create(simulated)
    until(lambda: listening.taken)
    listening.broken = True
    create(simulated, 3)
    until(lambda: len(listening.missed) > 1)
    listening.broken = False
    until(lambda: len(set(listening.uuids)) == 4)


def test_a_message_that_is_none_is_kept_and_listening_goes_on(
    simulated: Simulated, listening: Listening
) -> None:
    gateway = simulated.simulator.gateway
    socket = gateway._sessions[0].socket
    assert socket is not None
    within(simulated, lambda: socket.send_text("[{},--Boundary"))
    until(lambda: listening.taken)
    assert listening.taken == [b"[{},--Boundary"]
    create(simulated)
    until(lambda: len(listening.taken) == 2)
    assert gateway.connections == 1


def test_too_many_connections_are_answered_with_a_long_rest(
    simulated: Simulated, client: RingCentral, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inventory.ringcentral.requester.ATTEMPTS", 1)
    client.account_id()
    simulated.platform.faults.throttle = 1.0
    it = Listening(client)
    until(lambda: it.waited)
    it.stop()
    assert it.waited[0] >= 60


def test_the_command_feeds_the_log_and_the_inventory(
    simulated: Simulated, database: Database
) -> None:
    given = simulated.settings() | {"reconcile_schedule": ""}
    variables = {f"INVENTORY_{k.upper()}": v for k, v in given.items()}
    process = subprocess.Popen(
        [sys.executable, "-m", "inventory", "listen"],
        env=clean_environment() | variables | {"INVENTORY_DATABASE_URL": database.url},
        stderr=subprocess.PIPE,
    )
    try:
        until(lambda: simulated.platform.subscriptions)
        create(simulated, 2)
        until(lambda: held(database) == 2)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.communicate()
    with database.connect() as connection:
        found = connection.execute("SELECT reason FROM inventory.reconciliation").fetchall()
    assert found == [("a WebSocket was opened",)]


def held(database: Database) -> int:
    with database.connect() as connection:
        row = connection.execute("SELECT count(*) FROM inventory.contact_center_number").fetchone()
    assert row is not None
    return int(row[0])
