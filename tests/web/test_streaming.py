"""Answers of any length: that they end, and what is said when they cannot."""

from __future__ import annotations

import csv
import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest
from psycopg import Connection

from inventory import settings, web
from inventory.cli.listening import served
from inventory.database import Database
from inventory.web.api import STREAMS, streaming
from tests.histories import an_event
from tests.waiting import until
from tests.web.asking import CSV, NDJSON, problem_of, take_in

MANY = 4_000


@pytest.fixture(scope="module")
def client(database_of_module: Database) -> Iterator[httpx.Client]:
    """Asks about more than the sockets between us hold."""
    app = web.application(database_of_module, settings.load())
    with (
        database_of_module.connect() as connection,
        served(app, http=web.ImpatientProtocol) as url,
        httpx.Client(base_url=url, timeout=30) as client,
    ):
        wide = "Straße, " * 500
        numbers = [an_event(str(n), "Created", location=wide) for n in range(MANY)]
        take_in(connection, "1", numbers)
        yield client


@pytest.fixture
def administrator(database_of_module: Database) -> Iterator[Connection]:
    with database_of_module.connect(autocommit=True) as connection:
        yield connection


def test_all_rows_come_and_the_end_is_an_end(client: httpx.Client) -> None:
    for form in (CSV, NDJSON):
        text = client.get("/api/v1/numbers", headers=form).text
        assert len(text.splitlines()) == MANY + (form == CSV)
        assert text.endswith("\n")


@pytest.mark.parametrize("form", ["text/csv", "application/x-ndjson"])
def test_an_answer_that_breaks_off_says_so_and_is_not_ended(
    client: httpx.Client, administrator: Connection, form: str
) -> None:
    """The connection is lost after rows were sent, as in a failover."""
    text = b""
    with (
        pytest.raises(httpx.RemoteProtocolError, match="without sending complete"),
        client.stream("GET", "/api/v1/numbers", headers={"Accept": form}) as response,
    ):
        assert response.status_code == 200
        chunks = response.iter_raw()
        text += next(chunks)
        until(
            lambda: administrator.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state LIKE 'idle in%'"
                " AND query LIKE 'FETCH%' AND datname = current_database()"
            ).fetchall()
        )
        for chunk in chunks:
            text += chunk
    last = text.decode().splitlines()[-1]
    assert 100 < len(text.splitlines()) < MANY
    if form == "text/csv":
        assert next(csv.reader([last]))[:2] == ["#error", "503"]
    else:
        assert json.loads(last)["error"]["status"] == 503


def test_a_fault_that_nobody_thought_of_is_in_the_last_line_too(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: streaming.Rows) -> bytes:
        raise ZeroDivisionError

    monkeypatch.setattr(streaming.Rows, "next", broken)
    text = b""
    with (
        pytest.raises(httpx.RemoteProtocolError),
        client.stream("GET", "/api/v1/events", headers=NDJSON) as response,
    ):
        for chunk in response.iter_raw():
            text += chunk
    assert json.loads(text)["error"]["status"] == 500


def test_there_are_only_so_many_long_answers_at_once_and_who_hangs_up_makes_room(
    client: httpx.Client, administrator: Connection
) -> None:
    with ExitStack() as stack:
        for _ in range(STREAMS):
            response = stack.enter_context(client.stream("GET", "/api/v1/events", headers=CSV))
            assert response.status_code == 200
        problem_of(client.get("/api/v1/events", headers=CSV), 503)
        assert client.get("/api/v1/events").status_code == 200
    until(lambda: client.get("/api/v1/events", params={"limit": 1}, headers=CSV).is_success)
    until(
        lambda: (
            not administrator.execute(
                "SELECT FROM pg_stat_activity"
                " WHERE state = 'idle in transaction' AND datname = current_database()"
            ).fetchall()
        )
    )


def test_who_does_not_take_the_answer_is_not_waited_for(
    client: httpx.Client, administrator: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "TAKEN_WITHIN", 0.2)
    url = client.base_url
    with socket.create_connection((url.host, url.port or 0)) as lazy:
        lazy.sendall(b"GET /api/v1/numbers HTTP/1.1\r\nHost: localhost\r\nAccept: text/csv\r\n\r\n")
        until(lambda: held(administrator))
        until(lambda: not held(administrator))


def held(administrator: Connection) -> bool:
    """Whether a snapshot is held on to."""
    return bool(
        administrator.execute(
            "SELECT FROM pg_stat_activity WHERE backend_xmin IS NOT NULL"
            " AND datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchall()
    )
