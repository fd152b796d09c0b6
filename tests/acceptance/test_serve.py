"""`inventory serve` as an operator runs it: a process of its own, ended as operators end them."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from inventory import access
from inventory.database import Database
from tests.conftest import Command, clean_environment
from tests.waiting import until


class Serving:
    """A running `inventory serve` on any free port."""

    def __init__(
        self,
        database: Database,
        cwd: Path,
        *arguments: str,
        module: str = "inventory",
        **variables: str,
    ) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, "serve", "--port", "0", *arguments],
            env=clean_environment() | {"INVENTORY_DATABASE_URL": database.url} | variables,
            cwd=cwd,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stderr is not None
        self.said = self.process.stderr.readline()
        assert self.said.startswith("listening on http"), self.said
        self.url = self.said.split()[-1]
        # Read on, so that it never waits for us.
        self.log: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self.client = httpx.Client(base_url=self.url, timeout=30)
        until(self._answers)

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as lines:
            self.log.extend(lines)

    def _answers(self) -> bool:
        with suppress(httpx.TransportError):
            return self.client.get("/healthz").status_code == 200
        return False

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        code = self.process.wait(timeout=60)
        self._reader.join()
        return code

    def deliver(self, serial: int) -> bool:
        """Whether it was acknowledged."""
        with suppress(httpx.TransportError):
            return (
                self.client.post("/webhooks/ringcentral", content=notification(serial)).status_code
                == 200
            )
        return False


@contextmanager
def serving(database: Database, cwd: Path, *arguments: str, **variables: str) -> Iterator[Serving]:
    it = Serving(database, cwd, *arguments, **variables)
    try:
        yield it
    finally:
        if it.process.poll() is None:
            it.end(signal.SIGKILL)
        it.client.close()


def notification(serial: int) -> bytes:
    return json.dumps(
        {
            "uuid": f"{serial}",
            "event": f"/restapi/v1.0/account/{400000000 + serial % 3}/phone-number",
            "timestamp": "2026-03-01T00:00:00.000Z",
            "body": {
                "eventType": "Created",
                "phoneNumberInfo": {
                    "id": str(1000 + serial),
                    "phoneNumber": f"+1650{serial:07}",
                    "usageType": "ContactCenterNumber",
                },
            },
        }
    ).encode()


def uuids(database: Database) -> list[str]:
    with database.connect() as connection:
        return [
            uuid
            for (uuid,) in connection.execute("SELECT event_uuid FROM inventory.event ORDER BY 1")
        ]


def deliver_until_it_ends(serving: Serving, thread: int) -> list[int]:
    """Serials that were acknowledged, one after the other, until one is not."""
    acknowledged = []
    serial = thread * 1_000_000
    while serving.deliver(serial):
        acknowledged.append(serial)
        serial += 1
    return acknowledged


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_ended_under_load_it_has_lost_nothing_that_it_acknowledged(
    database: Database, tmp_path: Path, number: signal.Signals
) -> None:
    acknowledged: list[int] = []
    with serving(database, tmp_path) as it, serving(database, tmp_path) as other:
        senders = [
            threading.Thread(
                target=lambda at=at, to=to: acknowledged.extend(deliver_until_it_ends(to, at))
            )
            for at, to in enumerate([it] * 8 + [other] * 4)
        ]
        for sender in senders:
            sender.start()
        until(lambda: len(uuids(database)) > 200)
        assert it.end(number) == (-number if number == signal.SIGKILL else 0)
        seen = len(uuids(database))
        until(lambda: len(uuids(database)) > seen + 100)  # the other goes on
        assert other.end(signal.SIGTERM) == 0
        for sender in senders:
            sender.join()
    kept = uuids(database)
    assert len(acknowledged) > 300
    assert len(set(kept)) == len(kept)
    assert {str(serial) for serial in acknowledged} <= set(kept)


def test_a_secret_in_the_query_string_is_never_logged(database: Database, tmp_path: Path) -> None:
    with serving(database, tmp_path, INVENTORY_WEBHOOK_TOKEN="s3cret-of-ours") as it:
        for token, status in (("s3cret-of-ours", 200), ("another-s3cret", 401)):
            response = it.client.post(
                "/webhooks/ringcentral", params={"auth_token": token}, content=notification(1)
            )
            assert response.status_code == status
        assert it.end(signal.SIGTERM) == 0
    assert any("verification token" in line for line in it.log)
    assert not any("s3cret" in line for line in it.log)


@pytest.mark.parametrize(("proxies", "seen"), [("127.0.0.0/8", "203.0.113.9"), ("", "127.0.0.1")])
def test_only_proxies_that_are_trusted_say_who_asks_and_no_token_is_ever_logged(
    database: Database, tmp_path: Path, proxies: str, seen: str
) -> None:
    with database.connect() as connection:
        secret, _ = access.create(connection, "test", "read")
    with serving(database, tmp_path, INVENTORY_TRUSTED_PROXIES=proxies) as it:
        forwarded = {"X-Forwarded-For": "203.0.113.9"}
        for token, status in ((secret, 200), (secret[:-1], 401)):
            headers = forwarded | {"Authorization": f"Bearer {token}"}
            assert it.client.get("/api/v1/numbers", headers=headers).status_code == status
        assert it.end(signal.SIGTERM) == 0
    refused = [line for line in it.log if "without a valid token" in line]
    assert len(refused) == 1
    assert f"from {seen} " in refused[0]
    assert not any(secret[:-1] in line for line in it.log)


def test_it_listens_beyond_loopback_only_with_a_verification_token(inventory: Command) -> None:
    done = inventory("serve", "--host", "0.0.0.0", exits=2)
    assert "INVENTORY_WEBHOOK_TOKEN" in done.stderr


def test_a_port_that_is_taken_is_a_clear_error(inventory: Command) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = inventory("serve", "--port", str(port), exits=1)
    assert str(port) in done.stderr
    assert "Traceback" not in done.stderr


def test_a_database_without_the_schema_is_a_clear_error(
    empty_database: Database, inventory: Command
) -> None:
    done = inventory("serve", "--port", "0", exits=1, INVENTORY_DATABASE_URL=empty_database.url)
    assert "inventory db upgrade" in done.stderr
