"""`/readyz`: a projector that lags is busy, one that has stopped is not to be relied upon."""

from __future__ import annotations

from typing import NoReturn

import httpx
import pytest
from psycopg import Connection

from inventory.projector import follower
from tests.histories import an_event
from tests.waiting import until
from tests.web.asking import take_in
from tests.web.conftest import Receiver
from tests.web.test_webhook import PATH, notification


def readiness(client: httpx.Client) -> tuple[int, str]:
    response = client.get("/readyz")
    return response.status_code, response.json()["projector"]


def held_up(connection: Connection) -> None:
    """Have whoever folds wait, for as long as the transaction lasts."""
    connection.execute("LOCK TABLE inventory.contact_center_number IN ACCESS EXCLUSIVE MODE")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_it_fails_once_the_projectors_thread_has_ended(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> NoReturn:
        raise SystemExit

    client = receiver()
    until(lambda: readiness(client) == (200, "ok"))
    monkeypatch.setattr(follower, "lagging", die)
    until(lambda: readiness(client) == (503, "failing"))
    assert client.get("/healthz").status_code == 200
    monkeypatch.undo()  # which brings no thread back
    assert client.post(PATH, content=notification(1)).status_code == 200
    assert readiness(client) == (503, "failing")


def test_it_fails_while_the_projector_hangs_with_something_to_fold(
    receiver: Receiver, connection: Connection
) -> None:
    client = receiver(stopped=1.0)
    take_in(connection, "1", [an_event("1", "Created")])
    held_up(connection)
    assert client.post(PATH, content=notification(7, account="1")).status_code == 200
    until(lambda: readiness(client) == (503, "failing"))
    connection.rollback()
    until(lambda: readiness(client) == (200, "ok"))


def test_a_projector_that_is_busy_is_ready(receiver: Receiver, connection: Connection) -> None:
    client = receiver()
    take_in(connection, "1", [an_event("1", "Created")])
    held_up(connection)
    assert client.post(PATH, content=notification(7, account="1")).status_code == 200
    until(
        lambda: connection.execute(
            "SELECT true FROM pg_locks JOIN pg_database ON pg_database.oid = database"
            " WHERE NOT granted AND datname = current_database()"
        ).fetchone()
    )
    assert readiness(client) == (200, "ok")
