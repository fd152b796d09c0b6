"""What is on the pages, and that it is the same as what is elsewhere."""

from __future__ import annotations

import json
import re
import shlex
from collections import Counter
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from click.testing import CliRunner
from psycopg import sql

from inventory import read_model
from inventory.cli import inventory
from inventory.database import Database
from tests import folds
from tests.histories import an_event
from tests.pages import synthetic
from tests.pages.conftest import Visitor
from tests.pages.reading import Read, read

STRANGE = f"/numbers/{synthetic.ACCOUNT}/{synthetic.STRANGE_ID}"
PAGES = [
    "/",
    "/numbers",
    "/numbers?provider=",
    "/numbers?" + urlencode({"provider": synthetic.strange("provider_id") + " moved"}),
    "/numbers?status=Pending&account=400000001&sort=-since",
    "/numbers?at=-30d",
    "/numbers?at=-30d&known_at=-1d",
    STRANGE,
    f"{STRANGE}?at=-2h",
    f"{STRANGE}?known_at=-1d",
    "/search",
    "/search?q=2025550001",
    "/changes",
    "/changes?since=2020-01-01&kind=deleted",
    "/changes?since=-30d&until=-1d&account=400000002",
    "/reassignments",
    "/reassignments?kind=provider_changed&from_provider=1&to_provider=2",
    "/reassignments?kind=provider_changed&from_provider=&to_provider=5",
    "/reconciliations",
    "/reconciliations?outcome=refused",
    "/reconciliations/2",
    "/quarantine",
    "/quarantine?reason=invalid_json&state=all",
    "/quarantine/1",
    "/quarantine/2",
    "/quarantine/3",
    "/system",
]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_holds_no_markup_but_ours_whatever_the_fields_hold(
    some_client: httpx.Client, path: str
) -> None:
    page = read(some_client.get(path, follow_redirects=True))
    ids = [given["id"] for _, given in page.tags if "id" in given]
    assert len(ids) == len(set(ids))
    assert "broken" not in ids
    assert str(7919 * 7919) not in page.text
    for tag, given in page.tags:
        assert tag not in {"script", "style", "iframe", "object", "base"}
        assert not [name for name in given if name == "style" or name.startswith("on")]
    assert sum(tag == "h1" for tag, _ in page.tags) == 1
    assert sum(tag == "main" for tag, _ in page.tags) == 1


@pytest.mark.parametrize("path", PAGES)
def test_a_page_says_how_it_may_be_used(some_client: httpx.Client, path: str) -> None:
    response = some_client.get(path, follow_redirects=True)
    assert response.status_code == 200
    policy = response.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'; img-src 'self'; form-action ")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "same-origin"


def test_what_is_strange_is_shown_as_it_is(some_client: httpx.Client) -> None:
    page = read(some_client.get(STRANGE))
    for field in ("phone_number", "location", "provider_name", "status", "uri", "number_type"):
        assert synthetic.strange(field) + " moved" in page.text
    assert synthetic.strange("payload") in json.loads(page.blocks[0])["strange"]


def test_every_link_on_every_page_leads_somewhere(some_client: httpx.Client) -> None:
    """As far as a page of each kind and set of parameters goes."""
    waiting, seen = ["/"], set()
    while waiting:
        path = waiting.pop()
        response = some_client.get(path)
        if response.has_redirect_location:
            response = some_client.get(response.headers["location"])
        assert response.status_code == 200, path
        page = read(response)
        anchors = {f"#{given['id']}" for _, given in page.tags if "id" in given}
        for link in page.links:
            if link.startswith("#"):
                assert link in anchors, (path, link)
                continue
            parts = urlsplit(link)
            kind = re.sub(r"\d+", "N", parts.path), tuple(sorted(parse_qs(parts.query, True)))
            if kind in seen:
                continue
            seen.add(kind)
            if parts.path.startswith(("/api/", "/docs")):
                assert some_client.get(link).status_code == 200, (path, link)
            else:
                waiting.append(link)
    assert len(seen) > 40


def said(page: Read) -> tuple[str, str]:
    """The command and the statement at the foot of a page."""
    command, statement = page.blocks[-2:]
    assert command.startswith("inventory ")
    assert statement.startswith("SELECT ")
    return command, statement


LISTS = {
    "/numbers?status=Pending": 1,
    "/numbers?provider=&account=400000002": 1,
    "/numbers?usage_type=ContactCenterNumber&provider=2&status=Normal": 1,
    "/numbers?provider=1&at=-100d": 1,
    "/numbers?provider=1&at=-100d&known_at=-3d": 1,
    "/numbers?provider=nobody": 0,
    "/numbers?" + urlencode({"status": synthetic.strange("status") + " moved"}): 1,
    "/changes?since=-100d&until=-80d": 1,
    "/changes?since=-100d&kind=deleted": 1,
    "/reassignments?kind=provider_changed&from_provider=1&to_provider=2": 1,
    "/reassignments?since=-30d&until=-1d": 1,
    "/quarantine?reason=invalid_json": 1,
}


@pytest.mark.parametrize("path", LISTS)
def test_a_list_its_command_and_its_statement_have_the_same_rows(
    some_client: httpx.Client, some: Database, path: str
) -> None:
    page = read(some_client.get(path))
    rows, following = len(page.rows), page
    while following.following is not None:
        following = read(some_client.get(following.following))
        rows += len(following.rows)
    if path.startswith("/reassignments"):
        rows = sum(
            "provider changed" in cell or "reassigned" in cell for row in page.rows for cell in row
        )
    command, statement = said(page)
    done = CliRunner(env={"INVENTORY_DATABASE_URL": some.url}).invoke(
        inventory, [*shlex.split(command)[1:], "--format", "ndjson"], catch_exceptions=False
    )
    assert done.exit_code == 0, done.output
    with some.connect() as connection:
        role = "inventory_app" if "quarantine" in statement else "inventory_reader"
        connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
        found = connection.execute(statement.encode()).fetchall()
    assert rows == len(found) == len(done.stdout.splitlines())
    assert bool(rows) == bool(LISTS[path])


@pytest.mark.parametrize("path", PAGES)
def test_the_statement_of_every_page_can_be_run(
    some_client: httpx.Client, some: Database, path: str
) -> None:
    _, statement = said(read(some_client.get(path, follow_redirects=True)))
    with some.connect() as connection:
        connection.execute(statement.encode())


@pytest.mark.parametrize("sort", ["phone_number", "provider", "status", "location", "since"])
@pytest.mark.parametrize("mark", ["", "-"])
@pytest.mark.parametrize("clock", ["", "&at=-1d", "&known_at=-1h"])
def test_every_number_is_on_one_page_of_a_list_however_it_is_sorted(
    some_client: httpx.Client, some: Database, sort: str, mark: str, clock: str
) -> None:
    seen: Counter[str] = Counter()
    path: str | None = f"/numbers?sort={mark}{sort}{clock}"
    pages = 0
    while path is not None:
        page = read(some_client.get(path))
        seen.update(row[0].split()[0] for row in page.rows)
        path = page.following
        pages += 1
    _, statement = said(page)
    with some.connect() as connection:
        expected = connection.execute(statement.encode()).fetchall()
    assert pages == 3
    assert set(seen.values()) == {1}
    assert seen.total() == len(expected)


@pytest.mark.parametrize("clock", ["", "at=-20d"])
def test_a_facet_counts_what_its_link_leads_to(some_client: httpx.Client, clock: str) -> None:
    for filters in ("", "status=Normal", "provider=1", "provider=2&account=400000001"):
        page = read(some_client.get(f"/numbers?{clock}&{filters}"))
        facets = re.findall(
            r'<li><a href="([^"]+)"[^>]*><span>.*?</span> <b>([\d,]+)</b></a></li>',
            some_client.get(f"/numbers?{clock}&{filters}").text,
        )
        assert len(facets) > 6
        for link, count in facets:
            there = read(some_client.get(link.replace("&amp;", "&")))
            assert there.headings[0].startswith(f"{count} number"), link
        assert page.headings


def test_home_and_the_matrix_count_what_their_links_lead_to(some_client: httpx.Client) -> None:
    home = some_client.get("/").text
    cells = re.findall(r'<td[^>]*><a href="(/numbers[^"]+)">([\d,]+)</a>', home)
    assert len(cells) > 10
    for link, count in cells:
        there = read(some_client.get(link.replace("&amp;", "&")))
        assert there.headings[0].startswith(f"{count} number"), link
    matrix = some_client.get("/reassignments?since=").text
    cells = re.findall(r'<td class="figure heat\d"><a href="([^"]+)">(\d+)</a>', matrix)
    assert len(cells) > 3
    for link, count in cells:
        text = some_client.get(link.replace("&amp;", "&")).text
        listed = text[text.index('aria-label="Changes"') :]
        assert listed.count('<td class="when">') == int(count), link


BAD = [
    "/numbers?providr=7",
    "/numbers?provider=7&provider=8",
    "/numbers?at=yesterday",
    "/numbers?at=-999999999999d",
    "/numbers?at=0001-01-01T00:00:00%2B23:59",
    "/numbers?sort=price",
    "/numbers?provider=%00",
    "/numbers?provider=%FF",
    "/numbers?after=x",
    "/numbers?after=WzEsMiwzXQ",
    "/numbers?after=" + "WyJcdWQ4MDAiLCJhIiwiYiJd",
    "/numbers?after=WyJcdTAwMDAiLCJhIiwiYiJd",
    "/changes?after=WyJub3ciLCIxIiwxXQ",
    "/changes?kind=renamed",
    "/reassignments?kind=deleted",
    "/system?x=1",
    "/numbers?" + "&".join(f"a{n}=1" for n in range(60)),
]


@pytest.mark.parametrize("path", BAD)
def test_what_cannot_be_meant_is_a_clear_error(some_client: httpx.Client, path: str) -> None:
    response = some_client.get(path)
    assert response.status_code == 422
    assert "expected" in read(response).text


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/numbers/400000001/1",
        "/numbers/400000001/%00",
        "/numbers/%F0%9F%98%80/7",
        "/quarantine/99999",
        "/quarantine/99999999999999999999999999",
        "/quarantine/burn",
        "/reconciliations/0",
        "/static/style.css/../../pyproject.toml",
    ],
)
def test_what_is_not_there_is_said_to_be_not_there(some_client: httpx.Client, path: str) -> None:
    response = some_client.get(path)
    assert response.status_code in {404, 422}
    assert "expected" in read(response).text


def test_programs_get_problems_as_programs_read_them(some_client: httpx.Client) -> None:
    response = some_client.get("/numbers?providr=7", headers={"Accept": "*/*"})
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("spelling", ["{}", "+1 ({0[2]}{0[3]}{0[4]}) {1}", "  1-{2}", "{3}"])
def test_a_number_is_found_in_any_spelling(
    some_client: httpx.Client, some: Database, spelling: str
) -> None:
    with some.connect() as connection:
        row = connection.execute(
            "SELECT account_id, phone_number_id, phone_number FROM inventory.contact_center_number "
            "WHERE phone_number LIKE '+1%' ORDER BY phone_number_id LIMIT 1"
        ).fetchone()
    assert row is not None
    account, id_, number = row
    typed = spelling.format(number, number[5:], number[2:], id_)
    response = some_client.get("/search", params={"q": typed})
    assert response.status_code == 303
    assert response.headers["location"] == f"/numbers/{account}/{id_}"


def test_a_number_that_nobody_knows_is_not_found_and_several_are_all_shown(
    some_client: httpx.Client, database: Database, visitor: Visitor
) -> None:
    response = some_client.get("/search?q=%2B4930123456<b>")
    assert response.status_code == 404
    assert "+4930123456<b>" in read(response).text
    with database.connect() as connection:
        folds.append(
            connection,
            "1",
            [
                an_event("1", "Created", 0, phone_number="+12025550100"),
                an_event("1", "Deleted", 1, phone_number="+12025550100"),
                an_event("2", "Created", 2, phone_number="+12025550100"),
            ],
        )
    synthetic.fold(database)
    page = read(visitor().get("/search?q=202-555-0100"))
    assert page.headings[0].startswith("2 held")
    assert {"/numbers/1/1", "/numbers/1/2"} <= set(page.links)
    assert [row[1].split()[0] for row in page.rows] == ["left", "in"]


def test_the_versions_say_of_a_time_what_the_log_says(some: Database) -> None:
    """Of a time, from what is known now, the page reads off the versions."""
    with some.engine.connect() as connection:
        for days in (0, 1, 7, 30, 100, 200, 400):
            at = datetime.now(UTC) - timedelta(days=days)
            names = ("account_id", "phone_number_id", "status", "provider_id", "location")
            fast, slow = (
                {tuple(getattr(row, name) for name in names) for row in connection.execute(query)}
                for query in (read_model.numbers_at(at), read_model.numbers_as_of(at, None))
            )
            assert fast == slow
            assert fast or days == 400


def test_a_payload_is_shown_as_it_arrived_and_bytes_that_are_no_text_as_such(
    some_client: httpx.Client,
) -> None:
    pages = [read(some_client.get(f"/quarantine/{id_}")) for id_ in (1, 2, 3)]
    shown = {page.blocks[0] for page in pages if not page.blocks[0].startswith("inventory")}
    assert shown == {synthetic.strange("payload"), "ff 00 01 20 6e 6f 74 20 74 65 78 74"}


def test_a_refused_run_says_what_to_type(some_client: httpx.Client) -> None:
    page = read(some_client.get("/reconciliations/2"))
    assert "absent_of_account" in page.text
    assert (
        "inventory reconcile --apply --account 400000001 --confirm-absent 40 --reason "
        "'why they are gone'" in page.text
    )


def test_the_style_sheet_is_kept_under_an_address_of_its_own(some_client: httpx.Client) -> None:
    page = some_client.get("/")
    (address,) = re.findall(r'<link rel="stylesheet" href="([^"]+)">', page.text)
    response = some_client.get(address)
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/css")
    assert "immutable" in response.headers["cache-control"]
    icon = some_client.get("/static/icon.svg")
    assert icon.headers["content-type"] == "image/svg+xml"
