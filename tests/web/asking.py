"""Asking the read API, and what it is asked about."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
from psycopg import Connection

from inventory import quarantine
from inventory.event import Event
from inventory.quarantine import Quarantined
from tests import folds
from tests.waiting import until

Rows = list[dict[str, Any]]
NDJSON = {"Accept": "application/x-ndjson"}
CSV = {"Accept": "text/csv"}


def pages(
    client: httpx.Client, path: str, between: Callable[[], None] = lambda: None, **asked: Any
) -> Iterator[Rows]:
    """The rows of each page, one after the other; *between* two of them something may happen."""
    while True:
        response = client.get(path, params=asked)
        assert response.status_code == 200, response.text
        page = response.json()
        yield page["rows"]
        if page["next"] is None:
            assert "next" not in response.links
            return
        assert len(page["rows"]) == asked.get("limit", 100)
        assert page["next"] != asked.get("cursor")
        asked["cursor"] = page["next"]
        assert response.links["next"]["url"] == f"?{httpx.QueryParams(asked)}"
        between()


def walk(client: httpx.Client, path: str, **asked: Any) -> Rows:
    """Every row, page by page."""
    return [row for page in pages(client, path, **asked) for row in page]


def lines(client: httpx.Client, path: str, **asked: Any) -> Rows:
    """Every row, in one answer."""
    response = client.get(path, params=asked, headers=NDJSON)
    assert response.status_code == 200, response.text
    return [json.loads(line) for line in response.text.splitlines()]


def take_in(connection: Connection, account: str, events: list[Event]) -> None:
    """Append *events* to the account and have them folded, by whoever comes first."""
    folds.append(connection, account, events)
    fold(connection, account)


def fold(connection: Connection, account: str) -> None:
    folds.fold(connection, account)
    until(lambda: _folded(connection, account))


def _folded(connection: Connection, account: str) -> bool:
    row = connection.execute(
        "SELECT lag_events FROM inventory.freshness WHERE account_id = %s", [account]
    ).fetchone()
    connection.rollback()
    return row is None or row[0] == 0


def put_aside(connection: Connection, *payloads: str) -> None:
    """Put *payloads* into quarantine."""
    quarantine.put(
        connection,
        [Quarantined("test", "invalid_json", "junk", payload.encode()) for payload in payloads],
    )
    connection.commit()


def problem_of(response: httpx.Response, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body.keys() >= {"type", "title", "status", "detail"}
    assert body["status"] == status
    return body
