"""How the API answers: forms, errors, and answers of any length."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from itertools import product
from typing import Any

import httpx
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory import settings, web
from inventory.cli.listening import served
from inventory.database import Database
from inventory.read_model import Key
from inventory.rows import plain
from inventory.web.api import READS
from inventory.web.api.cursor import cursor_after
from inventory.web.api.media import preferred
from inventory.web.problem import Problem
from tests.histories import an_event
from tests.web.asking import CSV, NDJSON, lines, problem_of, put_aside, take_in, walk
from tests.web.conftest import Receiver

MANY = 250
PATHS = [read.path.replace("{id}", "1") for read in READS]
LISTS = [path for path in PATHS if path != "/api/v1/numbers/1"]


@pytest.fixture(scope="module")
def client(database_of_module: Database) -> Iterator[httpx.Client]:
    app = web.application(database_of_module, settings.load())
    with (
        database_of_module.connect() as connection,
        served(app, http=web.ImpatientProtocol) as url,
        httpx.Client(base_url=url, timeout=30) as client,
    ):
        names = ["a,b", 'say "x"', "two\r\nlines", "=1+1", None]
        take_in(
            connection,
            "1",
            [
                an_event(
                    str(n), "Updated", location="Straße", provider_name=names[n % 5], account="1"
                )
                for n in range(1, MANY + 1)
            ],
        )
        put_aside(connection, "junk")
        yield client


@pytest.mark.parametrize("path", PATHS)
def test_json_csv_and_ndjson_hold_the_same(client: httpx.Client, path: str) -> None:
    in_json = walk(client, path, limit=1000) if path in LISTS else [client.get(path).json()]
    assert lines(client, path) == in_json
    response = client.get(path, headers=CSV)
    assert response.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    in_csv = list(csv.DictReader(io.StringIO(response.text, newline="")))
    assert len(in_csv) == len(in_json)
    for ours, theirs in zip(in_csv, in_json, strict=True):
        assert ours == {k: "" if v is None else str(v) for k, v in theirs.items()}
    assert in_json or path.endswith("reconciliations")


def test_every_form_every_page_and_every_question_has_a_tag_of_its_own(
    client: httpx.Client,
) -> None:
    second = client.get("/api/v1/numbers").json()["next"]
    asked: list[dict[str, Any]] = [{}, {"limit": 5}, {"cursor": second}, {"account": "1"}]
    tags = [
        client.head("/api/v1/numbers", params=each, headers=form).headers["etag"]
        for each, form in product(asked, ({}, CSV, NDJSON))
    ]
    assert len(set(tags)) == len(tags)


def test_a_limit_holds_for_every_form(client: httpx.Client) -> None:
    for path in LISTS:
        assert len(lines(client, path, limit=1)) <= 1
        assert client.get(path, params={"limit": 1}, headers=CSV).text.count("\r\n") <= 3


@pytest.mark.parametrize("path", PATHS)
def test_head_is_get_without_the_rows(client: httpx.Client, path: str) -> None:
    for headers in ({}, CSV, NDJSON):
        head, get = client.head(path, headers=headers), client.get(path, headers=headers)
        assert head.content == b""
        told = ("etag", "content-type", "cache-control", "vary", "link")
        assert [head.headers.get(name) for name in told] == [get.headers.get(name) for name in told]
        assert head.headers.get("content-length") == get.headers.get("content-length")


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ([], "application/json"),
        (["*/*"], "application/json"),
        (["text/html,application/xhtml+xml,*/*;q=0.8"], "application/json"),
        (["text/csv"], "text/csv"),
        (["text/*"], "text/csv"),
        (["application/*;q=0.5, text/csv;q=0.4"], "application/json"),
        (["application/json;q=0, */*"], "text/csv"),
        (["application/x-ndjson", "application/json;q=0.9"], "application/x-ndjson"),
        (["APPLICATION/X-NDJSON; Q=1"], "application/x-ndjson"),
        (["text/html"], None),
        (["application/json;q=0"], None),
        (["text/csv;q=much"], None),
        (["*/*;q=nan"], None),
    ],
)
def test_the_form_is_the_one_that_accept_likes_best(accept: list[str], form: str | None) -> None:
    assert preferred(accept) == form


@given(st.lists(st.text()))
def test_no_accept_is_too_strange_to_be_read(accept: list[str]) -> None:
    assert preferred(accept) in {None, "application/json", "text/csv", "application/x-ndjson"}


@pytest.mark.parametrize("path", PATHS)
def test_whatever_is_wrong_with_a_question_is_said(client: httpx.Client, path: str) -> None:
    wrong: list[tuple[list[tuple[str, Any]], str]] = [
        ([("nothing", "1")], "nothing"),
        ([("Limit", "1")], "Limit"),
        ([("account", "x")], "account"),
        ([("account", "1"), ("account", "1")], "account"),
        ([("account", "")], "account"),
        ([("limit", "0")], "limit"),
        ([("limit", "1001")], "limit"),
        ([("limit", "1e3")], "limit"),
        ([("limit", "\u0661")], "limit"),
        ([("at", "yesterday")], "at"),
        ([("known_at", "2026-13-01")], "known_at"),
        ([("at", "2026-03-01T00:00:00 00:00")], "at"),
        ([("kind", "created,")], "kind"),
        ([("q", "\x00")], "q"),
        ([("prefix", "+1x")], "prefix"),
        ([("all", "yes")], "all"),
        ([("cursor", "")], "cursor"),
        ([("cursor", "!")], "cursor"),
    ]
    for asked, name in wrong:
        body = problem_of(client.get(path, params=asked), 422)
        assert [error["parameter"] for error in body["errors"]] == [name]
        assert "expected" in body["errors"][0]["detail"]
        for form in (CSV, NDJSON):
            problem_of(client.get(path, params=asked, headers=form), 422)
    both = problem_of(client.get(path, params={"b": "1", "a": "1"}), 422)
    assert [error["parameter"] for error in both["errors"]] == ["b", "a"]


@pytest.mark.parametrize("path", LISTS)
def test_a_cursor_is_taken_for_its_own_question_only(client: httpx.Client, path: str) -> None:
    read = next(read for read in READS if read.path.replace("{id}", "1") == path)
    row = lines(client, path)[0] if not path.endswith("reconciliations") else {"id": 1}
    good = cursor_after(row, read.key, repr((read.path, asked_of(path))))
    assert client.get(path, params={"cursor": good}).status_code == 200
    assert lines(client, path, cursor=good) == lines(client, path)[1:]
    for other in LISTS:
        if other != path:
            problem_of(client.get(other, params={"cursor": good}), 422)
    for bad in (good[:-1], good + "A", good[::-1], "W10", "bnVsbA", "eyJhIjoxfQ", "A" * 2001):
        problem_of(client.get(path, params={"cursor": bad}), 422)


def asked_of(path: str) -> list[tuple[str, str]]:
    return [("id", "1")] if path == "/api/v1/numbers/1/history" else []


@given(
    st.lists(
        st.none()
        | st.text()
        | st.integers()
        | st.floats()
        | st.booleans()
        | st.datetimes().map(str)
        | st.datetimes().map(lambda at: f"{at.isoformat()}+23:59")
        | st.lists(st.none()),
        max_size=4,
    )
)
def test_a_cursor_that_somebody_made_up_is_refused_or_leads_somewhere(
    client: httpx.Client, values: list[Any]
) -> None:
    for path in LISTS:
        read = next(read for read in READS if read.path.replace("{id}", "1") == path)
        names = [str(n) for n in range(len(values))]
        row = dict(zip(names, values, strict=True))
        cursor = cursor_after(row, [Key(name) for name in names], repr((read.path, asked_of(path))))
        response = client.get(path, params={"cursor": cursor, "limit": 1})
        assert response.status_code in {200, 422}, response.text


def test_no_such_path_no_such_method_no_such_form_and_no_body(client: httpx.Client) -> None:
    problem_of(client.get("/api/v1/nothing"), 404)
    problem_of(client.get("/api/v1/numbers/"), 404)
    for path in (*PATHS, "/healthz", "/readyz"):
        for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
            response = client.request(method, path)
            problem_of(response, 405)
            assert "GET" in response.headers["allow"]
    assert problem_of(client.get("/webhooks/ringcentral"), 405)
    for path in PATHS:
        problem_of(client.get(path, headers={"Accept": "text/html"}), 406)
        problem_of(client.request("GET", path, content=b"{}"), 413)
        problem_of(client.request("GET", path, content=iter([b"{", b"}"])), 413)


def test_text_that_breaks_lines_and_rules_arrives_as_it_was(client: httpx.Client) -> None:
    asked = {"provider": "' OR 1=1 --", "q": "%_\\"}
    assert client.get("/api/v1/numbers", params=asked).json()["rows"] == []
    assert client.get("/api/v1/numbers/%25").status_code == 404
    assert client.get("/api/v1/numbers/..%2Fevents").status_code == 404
    assert client.get("/api/v1/numbers/%FF%FE").status_code == 404
    assert client.get("/api/v1/numbers/%00").status_code == 404


INSTANTS = [
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59.999999-23:59",
    "2026-03-01",
    "20260301",
]


@pytest.mark.parametrize("instant", INSTANTS)
def test_any_instant_there_is_can_be_asked_for(client: httpx.Client, instant: str) -> None:
    for path, name in product(LISTS[:2], ("at", "known_at")):
        assert client.get(path, params={name: instant}).status_code == 200


def test_without_a_database_it_is_503_with_when_to_try_again(
    receiver: Receiver, database: Database
) -> None:
    client = receiver()
    assert client.get("/api/v1/numbers").status_code == 200
    name = psycopg.conninfo.conninfo_to_dict(database.url)["dbname"]
    with database.connect(autocommit=True, dbname="postgres") as administrator:
        administrator.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        administrator.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
        )
        for path, form in product(LISTS, ({}, CSV)):
            response = client.get(path, headers=form)
            assert "try again" in problem_of(response, 503)["detail"]
            assert response.headers["retry-after"]
        administrator.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    for path, form in product(LISTS, ({}, CSV)):
        if "history" not in path:
            assert client.get(path, headers=form).status_code == 200


def test_a_question_that_takes_too_long_is_given_up(
    receiver: Receiver, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inventory.database.READ_WITHIN", "100ms")
    client = receiver()
    with database.connect() as holder:
        holder.execute("LOCK TABLE inventory.contact_center_number")
        for form in ({}, CSV):
            body = problem_of(client.get("/api/v1/numbers", headers=form), 503)
            assert "ask for less" in body["detail"]


@given(
    st.recursive(st.none() | st.text() | st.binary(), lambda each: st.lists(each) | st.tuples(each))
)
def test_every_value_there_is_can_be_written(value: Any) -> None:
    json.dumps(plain(value))


def test_a_problem_says_what_is_wrong() -> None:
    assert Problem(404, "expected it").body()["title"] == "Not Found"
