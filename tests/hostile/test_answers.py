"""What was hostile and is in the log can be asked for; and hostile questions have an answer."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory import settings as inventory_settings
from inventory import web
from inventory.cli.listening import served
from inventory.database import Database
from inventory.ingest import Intake
from inventory.ingest.framing import frames
from inventory.web.api import READS
from tests.hostile import files
from tests.hostile.payloads import TIMESTAMPS
from tests.web.asking import fold

ACCOUNT = "812345"
API = "/api/v1"
PAGES = (
    "/",
    "/numbers",
    "/search?q=1",
    f"/numbers/{ACCOUNT}/1",
    "/quarantine/1",
    "/changes",
    "/reassignments",
    "/quarantine",
    "/reconciliations",
    "/system",
)


@pytest.fixture(scope="module")
def address(database_of_module: Database) -> Iterator[str]:
    with (
        database_of_module.connect() as log,
        served(
            web.application(database_of_module, inventory_settings.load()),
            http=web.ImpatientProtocol,
        ) as url,
    ):
        for name, small in files.SMALL.items():
            if small.content.startswith(b"\x1f\x8b"):
                continue
            intake = Intake(f"file:{name}", account_id=None, future_tolerance=timedelta(0))
            intake.run(log, frames([small.content]), lambda _: None)
        log.commit()
        fold(log, ACCOUNT)
        yield url


@pytest.fixture
def client(address: str, caplog: pytest.LogCaptureFixture) -> Iterator[httpx.Client]:
    caplog.set_level(logging.WARNING)
    with httpx.Client(base_url=address, timeout=60) as client:
        yield client
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


LISTS = [read for read in READS if not read.one]


@pytest.mark.parametrize("read", LISTS, ids=lambda read: read.name)
def test_what_is_in_the_log_can_be_read_in_every_form(client: httpx.Client, read: Any) -> None:
    path = read.path.replace("{id}", "1")
    rows = client.get(path, params={"limit": 1000}).json()["rows"]
    lines = client.get(path, headers={"Accept": "application/x-ndjson"}).text
    assert [json.loads(line) for line in lines.split("\n")[:-1]] == rows
    table = client.get(path, headers={"Accept": "text/csv"})
    assert table.status_code == 200
    assert "#error" not in table.text
    walked: list[Any] = []
    asked = {"limit": "7"}
    while True:
        page = client.get(path, params=asked).json()
        walked += page["rows"]
        if page["next"] is None:
            break
        asked["cursor"] = page["next"]
    assert walked == rows


@pytest.mark.parametrize("path", PAGES)
def test_pages_show_it_and_run_none_of_it(client: httpx.Client, path: str) -> None:
    page = client.get(path, headers={"Accept": "text/html"}, follow_redirects=True)
    assert page.status_code == 200
    assert "<script>" not in page.text
    assert "alert(1)" not in page.text or "&lt;script&gt;alert(1)" in page.text


def test_a_cursor_is_of_use_where_it_came_from_and_nowhere_else(client: httpx.Client) -> None:
    cursors = {}
    for read in LISTS:
        path = read.path.replace("{id}", "1")
        cursors[path] = client.get(path, params={"limit": 1}).json()["next"]
    given = {path: cursor for path, cursor in cursors.items() if cursor}
    assert len(given) > 3
    for path in cursors:
        for origin, cursor in given.items():
            status = client.get(path, params={"limit": 1, "cursor": cursor}).status_code
            assert status == (200 if origin == path else 422), (path, origin)


WORDS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(TIMESTAMPS),
    st.sampled_from(
        ["0", "-1", "1e3", "9" * 19, "9" * 400, "\u00b2", "\u0661", "a\x00b", "%", "+"]
    ),
)


@given(data=st.data())
@settings(max_examples=150)
def test_a_cursor_that_was_tampered_with_is_refused_or_leads_somewhere(
    client: httpx.Client, data: st.DataObject
) -> None:
    path = data.draw(st.sampled_from([API + "/events", API + "/quarantine", API + "/numbers"]))
    cursor = client.get(path, params={"limit": 1}).json()["next"]
    at = data.draw(st.integers(0, len(cursor)))
    until = data.draw(st.integers(at, len(cursor)))
    put = data.draw(st.text("ABCxyz019-_", max_size=6) | st.text(max_size=3))
    status = client.get(path, params={"cursor": cursor[:at] + put + cursor[until:]}).status_code
    assert status in {200, 422}


@given(data=st.data())
@settings(max_examples=200)
def test_whatever_is_asked_is_answered_or_refused(
    client: httpx.Client, data: st.DataObject
) -> None:
    """Sound or not, of any parameter that there is: the reason is said, and it is not our fault."""
    read = data.draw(st.sampled_from(READS))
    names = [parameter.name for parameter in read.parameters]
    asked: Any = data.draw(
        st.lists(st.tuples(st.sampled_from(names) | st.text(max_size=3), WORDS), max_size=3)
    )
    path = read.path.replace("{id}", quote(data.draw(WORDS), safe="") or "1")
    response = client.get(path, params=asked)
    assert response.status_code in {200, 404, 406, 422}, (path, asked, response.text)


@pytest.mark.parametrize("path", ["/numbers", "/changes", "/reassignments", "/quarantine"])
@given(data=st.data())
@settings(max_examples=40)
def test_a_page_that_is_asked_anything_says_what_is_wrong(
    client: httpx.Client, path: str, data: st.DataObject
) -> None:
    names = st.sampled_from(
        [
            "q",
            "after",
            "at",
            "known_at",
            "since",
            "until",
            "account",
            "prefix",
            "provider",
            "status",
            "kind",
            "reason",
            "all",
            "x",
        ]
    )
    asked: Any = data.draw(st.lists(st.tuples(names, WORDS), max_size=3))
    response = client.get(path, params=asked, headers={"Accept": "text/html"})
    assert response.status_code in {200, 303, 404, 422}, (path, asked, response.status_code)
