"""Who may look: a token becomes a session, which ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from psycopg import Connection

from inventory import access
from inventory.access import Scope
from inventory.database import Database
from inventory.web import guard, session
from tests.pages.conftest import Visitor
from tests.pages.reading import read
from tests.waiting import until

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def token(connection: Connection, scope: Scope = "read", **limits: Any) -> str:
    secret, _ = access.create(connection, "the auditors", scope, **limits)
    connection.commit()
    return secret


def log_in(client: httpx.Client, secret: str, **changes: str) -> httpx.Response:
    fields = read(client.get("/login")).fields
    return client.post("/login", data=fields | {"token": secret} | changes)


def test_on_this_machine_everybody_may_look_until_there_is_a_token(
    visitor: Visitor, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "REMEMBERED", 0.0)
    client = visitor()
    assert client.get("/").status_code == 200
    assert "read-only" in client.get("/").text
    assert client.get("/quarantine/retry").status_code == 403
    token(connection)
    response = client.get("/numbers?provider=7&sort=-since")
    assert response.status_code == 303
    assert response.headers["location"] == "/login?next=%2Fnumbers%3Fprovider%3D7%26sort%3D-since"


def test_where_others_reach_us_nobody_may_look_without_a_token(visitor: Visitor) -> None:
    client = visitor(host="0.0.0.0")
    assert client.get("/").status_code == 303
    assert client.get("/", headers={"Accept": "*/*"}).status_code == 401
    assert client.get("/login").status_code == 200
    assert client.get("/static/style.css").status_code == 200


def test_a_token_becomes_a_session_which_leads_to_where_one_was_going(
    visitor: Visitor, connection: Connection
) -> None:
    secret = token(connection)
    client = visitor()
    response = client.get("/changes?kind=deleted")
    form = read(client.get(response.headers["location"]))
    response = client.post("/login", data=form.fields | {"token": f" {secret}\n"})
    assert response.status_code == 303
    assert response.headers["location"] == "/changes?kind=deleted"
    page = client.get(response.headers["location"])
    assert page.status_code == 200
    assert "the auditors" in page.text
    assert secret not in page.text
    assert secret not in str(client.cookies)
    # What a page links to as data, a browser may fetch as well.
    assert client.get("/api/v1/nothing").status_code == 404


def test_a_cookie_is_for_us_alone(visitor: Visitor, connection: Connection) -> None:
    secret = token(connection)
    client = visitor(allowed_hosts="inventory.example")
    given = log_in(client, secret).headers["set-cookie"]
    assert given.startswith("inventory_session=")
    assert {"HttpOnly", "Path=/", "SameSite=lax"} <= set(given.split("; "))
    assert "Secure" not in given  # plain HTTP to this machine
    away = {"Host": "inventory.example"}
    form = client.get("/login", headers=away)
    visit = form.headers["set-cookie"]
    assert visit.startswith("__Host-inventory_visit=")
    assert "Secure" in visit.split("; ")
    response = client.post(
        "/login",
        data=read(form).fields | {"token": secret},
        headers=away | {"Cookie": visit.split(";")[0]},
    )
    given = response.headers["set-cookie"]
    assert given.startswith("__Host-inventory_session=")
    assert {"Secure", "HttpOnly", "Path=/"} <= set(given.split("; "))
    assert "Domain" not in given
    there = {"Cookie": given.split(";")[0]}
    assert client.get("/system", headers=away | there).status_code == 200
    client.cookies.clear()
    assert client.get("/system", headers=there).status_code == 303  # under another name


def test_what_is_no_token_begins_no_session(visitor: Visitor, connection: Connection) -> None:
    token(connection)
    client = visitor()
    for bad in ("", "inventory_", "inventory_" + "0" * 64, "' OR true --", "ü"):
        response = log_in(client, bad)
        assert response.status_code == 401
        assert "not valid" in response.text
        assert session.SESSION not in response.headers.get("set-cookie", "")
        assert client.get("/").status_code == 303


def test_a_session_ends_with_its_token(
    visitor: Visitor, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "REMEMBERED", 0.0)
    secret, found = access.create(connection, "test", "read")
    connection.commit()
    client = visitor()
    log_in(client, secret)
    assert client.get("/system").status_code == 200
    access.revoke(connection, [found.id])
    connection.commit()
    token(connection)
    until(lambda: client.get("/system").status_code == 303)


def test_a_session_ends_by_itself_and_no_later_than_its_token(database: Database) -> None:
    now = datetime.now(UTC)
    with database.connect() as connection:
        secret, bearer = access.create(connection, "test", "read")
        cookie = session.begin(bearer, secret, now)
        assert session.bearer_of(connection, cookie, now) == bearer
        ending = now + session.LASTS
        assert session.bearer_of(connection, cookie, ending - timedelta(seconds=2)) == bearer
        assert session.bearer_of(connection, cookie, ending) is None
        secret, bearer = access.create(connection, "x", "read", expires_in=timedelta(hours=1))
        cookie = session.begin(bearer, secret, now)
        assert session.bearer_of(connection, cookie, now + timedelta(minutes=59)) == bearer
        assert session.bearer_of(connection, cookie, now + timedelta(minutes=61)) is None


def test_a_cookie_that_was_altered_anywhere_is_none(connection: Connection) -> None:
    now = datetime.now(UTC)
    secret, bearer = access.create(connection, "test", "read")
    cookie = session.begin(bearer, secret, now)
    for at, letter in enumerate(cookie):
        for other in "0", "9", ".", "-", letter.upper(), "\u0660":
            altered = cookie[:at] + other + cookie[at + 1 :]
            if altered != cookie:
                assert session.bearer_of(connection, altered, now) is None, (at, other)
    assert session.bearer_of(connection, cookie, now) == bearer


@hypothesis_settings(max_examples=20)
@given(st.lists(st.text(), min_size=1, max_size=9))
def test_whatever_a_cookie_holds_is_no_error(shared_database: Database, texts: list[str]) -> None:
    now = datetime.now(UTC)
    with shared_database.connect(autocommit=True) as connection:
        for text in texts:
            for cookie in (
                *(text, f"1.{text}.x.y", f"{text}.9999999999.x.y", f"1.9999999999.x.{text}"),
                *(f"{'9' * 30}.9999999999.x.y", f"1.{'9' * 30}.x.y"),
            ):
                assert session.bearer_of(connection, cookie, now) is None


def test_logging_out_makes_the_browser_forget(visitor: Visitor, connection: Connection) -> None:
    client = visitor()
    log_in(client, token(connection))
    code = read(client.get("/system")).fields["code"]
    response = client.post("/logout", data={"code": code})
    assert response.status_code == 303
    assert 'inventory_session="";' in response.headers["set-cookie"]
    assert client.get("/system").status_code == 303


@pytest.mark.parametrize("path", ["/login", "/logout"])
def test_a_form_that_is_not_ours_is_refused(
    visitor: Visitor, connection: Connection, path: str
) -> None:
    secret = token(connection)
    client = visitor()
    log_in(client, secret)
    ours = read(client.get("/system" if path == "/logout" else "/login")).fields["code"]
    stranger = visitor()
    theirs = read(stranger.get("/login")).fields["code"]
    sent = {"token": secret, "next": "/"} if path == "/login" else {"code": "x"}
    for code in ("", "0" * 64, theirs, ours[:-1], ours + "0", "\u2603"):
        response = client.post(path, data=sent | {"code": code})
        assert response.status_code == 403, code
    assert client.post(path, data=sent).status_code == 403
    assert client.get("/system").status_code == 200
    origin = {"Origin": "https://evil.example"}
    assert client.post(path, data=sent | {"code": ours}, headers=origin).status_code == 403
    assert client.post(path, json=sent | {"code": ours}).status_code == 415
    twice = f"code={ours}&code={ours}"
    assert client.post(path, content=twice, headers=FORM).status_code == 422
    long = "token=" + "x" * 100_000
    assert client.post(path, content=long, headers=FORM).status_code == 413
    assert client.post(path, content=b"code=\xff%ff%00", headers=FORM).status_code == 422


def test_nobody_is_sent_elsewhere_from_here(visitor: Visitor, connection: Connection) -> None:
    client = visitor()
    secret = token(connection)
    for next_ in (
        *("https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil"),
        *("javascript:x", "x", "/\tx", "/\r\nSet-Cookie: x=y", ""),
    ):
        assert read(client.get("/login", params={"next": next_})).fields["next"] == "/"
        response = log_in(client, secret, next=next_)
        assert response.headers["location"] == "/", next_


def test_a_token_that_may_not_read_may_look_at_nothing(
    visitor: Visitor, connection: Connection
) -> None:
    client = visitor()
    log_in(client, token(connection, "nothing"))  # type: ignore[arg-type]
    response = client.get("/numbers")
    assert response.status_code == 403
    assert "scope read" in read(response).text
