from __future__ import annotations

import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import httpx
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory import sample
from inventory.database import Database
from inventory.ingest.framing import ITEM_LIMIT
from inventory.notification import shape
from inventory.web import protocol, webhook
from tests.waiting import until
from tests.web.conftest import Receiver

PATH = "/webhooks/ringcentral"
DOCUMENTED = json.dumps(sample.documented_notification()).encode()


def number_of(database: Database, table: str) -> int:
    with database.connect() as connection:
        row = connection.execute(f"SELECT count(*) FROM inventory.{table}").fetchone()
    assert row is not None
    return int(row[0])


def size_of(response: httpx.Response) -> int:
    """Bytes of the whole response, as they went over the wire."""
    head = sum(len(name) + len(value) + 4 for name, value in response.headers.raw)
    return len("HTTP/1.1 200 OK\r\n\r\n") + head + len(response.content)


def notification(serial: int, account: str = "400000001") -> bytes:
    return json.dumps(
        {
            "uuid": f"{serial}",
            "event": f"/restapi/v1.0/account/{account}/phone-number",
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


def test_a_notification_is_in_the_log_when_it_is_acknowledged_and_in_the_inventory_soon(
    receiver: Receiver, database: Database
) -> None:
    client = receiver(account_id="37439510")
    response = client.post(PATH, content=DOCUMENTED)
    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
    assert number_of(database, "event") == 1
    until(lambda: number_of(database, "contact_center_number") == 1)


def test_what_is_delivered_again_is_acknowledged_and_in_the_log_once(
    receiver: Receiver, database: Database
) -> None:
    client = receiver()
    assert {client.post(PATH, content=notification(1)).status_code for _ in range(3)} == {200}
    assert number_of(database, "event") == 1


@pytest.mark.parametrize("body", [b"", b"{}", b"null", b" \n", b"hello", b"[]", b"\xff\x00"])
def test_a_handshake_is_echoed_whatever_its_body_and_without_the_secret(
    receiver: Receiver, database: Database, body: bytes
) -> None:
    client = receiver(webhook_token="s3cret")
    response = client.post(PATH, content=body, headers={"Validation-Token": "abc-123"})
    assert response.status_code == 200
    assert response.headers["validation-token"] == "abc-123"
    assert response.headers["content-type"] == "application/json"
    assert size_of(response) < 1024
    assert number_of(database, "quarantine") == 0


@pytest.mark.parametrize("body", [b'{"uuid":"1"', b"hello", b"[1]"])
def test_what_comes_with_the_secret_in_the_handshakes_header_is_kept_however_broken(
    receiver: Receiver, database: Database, body: bytes
) -> None:
    client = receiver(webhook_token="s3cret")
    response = client.post(PATH, content=body, headers={"Validation-Token": "s3cret"})
    assert response.status_code == 200
    assert number_of(database, "quarantine") == 1


@pytest.mark.parametrize(
    "sent",
    [
        {"headers": {"Verification-Token": "new"}},
        {"headers": {"Verification-Token": "old"}},
        {"headers": {"Validation-Token": "new"}},
        {"headers": {"Verification-Token": "wrong", "Validation-Token": "old"}},
        {"params": {"auth_token": "new"}},
    ],
)
def test_the_secret_may_come_in_either_header_or_the_query_and_two_are_valid_at_once(
    receiver: Receiver, database: Database, sent: dict[str, Any]
) -> None:
    client = receiver(webhook_token="new, old")
    assert client.post(PATH, content=notification(1), **sent).status_code == 200
    assert number_of(database, "event") == 1


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"headers": {"Verification-Token": ""}},
        {"headers": {"Verification-Token": "ne"}},
        {"headers": {"Validation-Token": "a challenge, perhaps"}},
        {"headers": {"Verification-Token": "new, old"}},
        {"params": {"auth_token": "New"}},
    ],
)
@pytest.mark.parametrize("body", [notification(1), b'{"event":7}'])
def test_a_notification_without_a_valid_secret_is_refused_and_nothing_is_kept(
    receiver: Receiver, database: Database, sent: dict[str, Any], body: bytes
) -> None:
    client = receiver(webhook_token="new, old")
    assert client.post(PATH, content=body, **sent).status_code == 401
    assert number_of(database, "event") == number_of(database, "quarantine") == 0


def test_bad_content_is_quarantined_and_acknowledged(
    receiver: Receiver, database: Database
) -> None:
    client = receiver()
    bodies = [b"{", b'{"event":"/restapi/v1.0/account/~/extension","body":{}}', b"", b"\xff"]
    assert {client.post(PATH, content=body).status_code for body in bodies} == {200}
    with database.connect() as connection:
        kept = connection.execute("SELECT source, payload FROM inventory.quarantine").fetchall()
    assert {payload for _, payload in kept} == set(bodies)
    assert {source for source, _ in kept} == {"webhook"}


def test_a_reminder_stays_out_of_the_log_and_out_of_quarantine(
    receiver: Receiver, database: Database
) -> None:
    reminder = {
        "uuid": "5",
        "event": "/restapi/v1.0/subscription/~?threshold=60&interval=15",
        "subscriptionId": "9d38419f",
        "body": {"id": "9d38419f", "expiresIn": 58},
    }
    assert receiver().post(PATH, json=reminder).status_code == 200
    assert number_of(database, "event") == number_of(database, "quarantine") == 0


def test_a_body_over_the_limit_is_refused_as_it_comes(
    receiver: Receiver, database: Database
) -> None:
    client = receiver()

    def endless() -> Any:
        for _ in range(2 * ITEM_LIMIT // 65536):
            yield b"x" * 65536

    try:
        status = client.post(PATH, content=endless()).status_code
    except httpx.WriteError:
        status = 413  # it hung up on us in the middle, which a client may see as this
    assert status == 413
    assert number_of(database, "quarantine") == 0


def test_a_client_that_does_not_send_what_it_promised_is_sent_away(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "BODY_WITHIN", 0.1)
    client = receiver()
    with socket.create_connection((client.base_url.host, client.base_url.port or 0)) as slow:
        slow.sendall(
            f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{{".encode()
        )
        slow.settimeout(30)
        assert slow.recv(4096).startswith(b"HTTP/1.1 503 ")


@pytest.mark.parametrize("kept", [False, True])
def test_a_client_that_does_not_say_what_it_wants_is_not_waited_for(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, *, kept: bool
) -> None:
    monkeypatch.setattr(protocol, "HEAD_WITHIN", 0.1)
    client = receiver()
    with socket.create_connection((client.base_url.host, client.base_url.port or 0)) as slow:
        slow.settimeout(30)
        if kept:
            slow.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert b'{"status":"ok"}' in slow.recv(4096)
        slow.sendall(b"POST /webhooks/ringcentral HTTP/1.1\r\nHost: ")
        assert slow.recv(4096) == b""


def test_a_head_without_end_is_not_taken(receiver: Receiver) -> None:
    client = receiver()
    with socket.create_connection((client.base_url.host, client.base_url.port or 0)) as endless:
        endless.settimeout(30)
        with suppress(ConnectionError):
            endless.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n")
            for _ in range(1000):
                endless.sendall(b"X-Header: " + b"x" * 1000 + b"\r\n")
            endless.sendall(b"\r\n")
        with suppress(ConnectionError):
            assert endless.recv(4096) == b""


def test_without_a_database_the_answer_is_503_and_with_one_again_200(
    receiver: Receiver, database: Database
) -> None:
    client = receiver()
    assert client.post(PATH, content=notification(1)).status_code == 200
    name = psycopg.conninfo.conninfo_to_dict(database.url)["dbname"]
    with database.connect(autocommit=True, dbname="postgres") as administrator:
        administrator.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        administrator.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
        )
        response = client.post(PATH, content=notification(2))
        assert response.status_code == 503
        assert size_of(response) < 1024
        assert client.get("/readyz").status_code == 503
        assert client.get("/healthz").status_code == 200
        administrator.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    assert client.post(PATH, content=notification(2)).status_code == 200
    assert number_of(database, "event") == 2
    until(lambda: client.get("/readyz").status_code == 200)


def test_a_connection_that_died_between_two_notifications_is_not_noticed_by_the_sender(
    receiver: Receiver, database: Database
) -> None:
    client = receiver()
    for serial in range(3):
        assert client.post(PATH, content=notification(serial)).status_code == 200
        with database.connect(autocommit=True) as administrator:
            administrator.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
    assert number_of(database, "event") == 3


def test_a_locked_account_is_503_in_time_and_what_waited_may_be_sent_again(
    receiver: Receiver, database: Database
) -> None:
    client = receiver()
    assert client.post(PATH, content=notification(0)).status_code == 200
    with database.connect() as holder:
        holder.execute("SELECT FROM inventory.account FOR UPDATE")
        response = client.post(PATH, content=notification(1))
        assert response.status_code == 503
        assert response.elapsed.total_seconds() < 3  # RingCentral's limit, not a speed
    assert client.post(PATH, content=notification(1)).status_code == 200
    assert number_of(database, "event") == 2


def test_what_arrives_while_a_commit_is_in_flight_shares_the_next_one(
    receiver: Receiver, database: Database
) -> None:
    client = receiver()
    assert client.post(PATH, content=notification(0)).status_code == 200
    with (
        ThreadPoolExecutor(50) as pool,
        database.connect() as holder,
        database.connect(autocommit=True) as onlooker,
    ):
        holder.execute("SELECT FROM inventory.account FOR UPDATE")
        together = threading.Barrier(50)

        def send(serial: int) -> int:
            together.wait()
            return client.post(PATH, content=notification(serial)).status_code

        statuses = pool.map(send, range(1, 51))
        until(
            lambda: onlooker.execute(
                "SELECT 1 FROM pg_stat_activity "
                "WHERE wait_event_type = 'Lock' AND datname = current_database()"
            ).fetchone()
        )
        holder.rollback()
        assert set(statuses) == {200}
    assert number_of(database, "event") == 51
    assert number_of(database, "seal") < 20


def test_many_senders_and_two_servers_leave_each_notification_in_the_log_once(
    receiver: Receiver, database: Database
) -> None:
    clients = [receiver(), receiver()]

    def send(serial: int) -> int:
        # Each is delivered to both.
        return sum(
            client.post(PATH, content=notification(serial)).status_code for client in clients
        )

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(send, range(300))) == {400}
    with database.connect() as connection:
        row = connection.execute(
            "SELECT count(*), count(DISTINCT event_uuid), max(position) FROM inventory.event"
        ).fetchone()
    assert row == (300, 300, 300)
    until(lambda: number_of(database, "contact_center_number") == 300)


@given(st.binary() | st.recursive(st.none() | st.text() | st.integers(), st.lists).map(json.dumps))
def test_the_shape_of_anything_is_told_without_an_error(payload: bytes | str) -> None:
    found = shape(payload.encode() if isinstance(payload, str) else payload)
    assert found.notification or not found.reminder


def test_a_challenge_too_long_for_the_response_is_not_echoed(receiver: Receiver) -> None:
    response = receiver().post(PATH, content=b"", headers={"Validation-Token": "x" * 2000})
    assert response.status_code == 200
    assert size_of(response) < 1024
