"""Bytes on the receiver's socket that are hardly HTTP: an answer or none, and it still stands."""

from __future__ import annotations

import gzip
import logging
import socket
from collections.abc import Iterator
from contextlib import suppress

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory import settings as inventory_settings
from inventory import web
from inventory.cli.listening import served
from inventory.database import Database
from inventory.ingest.framing import ITEM_LIMIT
from inventory.web import protocol, webhook
from tests.hostile.payloads import SOUND
from tests.waiting import until

PATH = b"/webhooks/ringcentral"


@pytest.fixture(scope="module")
def address(database_of_module: Database) -> Iterator[str]:
    patience = pytest.MonkeyPatch()
    patience.setattr(webhook, "BODY_WITHIN", 0.3)
    patience.setattr(protocol, "HEAD_WITHIN", 0.3)
    patience.setattr(protocol, "REST_WITHIN", 0.6)
    app = web.application(database_of_module, inventory_settings.load(account_id="5"))
    with patience.context(), served(app, http=web.ImpatientProtocol) as url:
        yield url
    patience.undo()


@pytest.fixture
def client(address: str, caplog: pytest.LogCaptureFixture) -> Iterator[httpx.Client]:
    """Whoever comes after: is answered, and nothing has failed in a way that nobody thought of."""
    caplog.set_level(logging.WARNING)
    with httpx.Client(base_url=address, timeout=30) as client:
        yield client
        assert client.get("/healthz").status_code == 200
        assert client.post(PATH.decode(), content=SOUND).status_code == 200
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def dialled(client: httpx.Client) -> socket.socket:
    assert client.base_url.port is not None
    return socket.create_connection((client.base_url.host, client.base_url.port), 30)


def say(client: httpx.Client, *pieces: bytes) -> bytes:
    """Send *pieces*, and have all that is answered until the server hangs up."""
    heard = b""
    with dialled(client) as connection, suppress(ConnectionError):
        for piece in pieces:
            connection.sendall(piece)
        while some := connection.recv(65536):
            heard += some
    return heard


def statuses(answer: bytes) -> list[int]:
    return [int(part[4:7]) for part in answer.split(b"HTTP/")[1:]]


def post(*headers: bytes, body: bytes = b"", path: bytes = PATH) -> bytes:
    return b"\r\n".join([b"POST " + path + b" HTTP/1.1", b"Host: localhost", *headers, b"", body])


CLOSE = b"Connection: close"
SMALL = b"Content-Length: 2"
CHUNKED = b"Transfer-Encoding: chunked"
GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"


@pytest.mark.parametrize(
    "said",
    [
        b"\r\n\r\n",
        b"\x00\x00\x00\x00",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1 HTTP/1.1\r\n\r\n",
        b"G\xc3\xa9T / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"POST " + PATH + b"\r\n\r\n{}",
        post(b"Content-Length: -1"),
        post(b"Content-Length: 1e3"),
        post(b"Content-Length: 99999999999999999999999"),
        post(b"Content-Length: 2", b"Content-Length: 3", body=b"{}"),
        post(SMALL, CHUNKED, body=b"0\r\n\r\n"),
        post(b"Transfer-Encoding: chunked, identity", body=b"0\r\n\r\n"),
        post(b"No colon"),
        post(b": no name"),
        post(b"A : b"),
        post(b"A: b\x00c"),
        post(CHUNKED, body=b"zz\r\n{}\r\n0\r\n\r\n"),
        post(CHUNKED, body=b"-1\r\n{}\r\n0\r\n\r\n"),
        post(CHUNKED, body=b"ffffffffffffffffff\r\n{}\r\n0\r\n\r\n"),
        post(CHUNKED, body=b"2\r\n{}x\r\n0\r\n\r\n"),
    ],
    ids=lambda said: repr(said.replace(PATH, b"/").replace(b"Host: localhost\r\n", b""))[:60],
)
def test_what_is_no_http_is_refused(client: httpx.Client, said: bytes) -> None:
    assert set(statuses(say(client, said))) <= {400, 403, 421, 503}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (
            b"GET //\xff/%ff%00%c0%80 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
            {400, 404},
        ),
        (
            b"GET /%ff%00%c0%80%f0%9f HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
            {404},
        ),
        (
            b"GET /api/v1/numbers/%00 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
            {404},
        ),
        (
            b"GET /api/v1/numbers/%ed%a0%80 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
            {404},
        ),
        (b"GET http://[ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", {400, 404}),
        (b"GET /healthz HTTP/1.1\r\nHost: [\r\nConnection: close\r\n\r\n", {200}),
        (b"GET / HTTP/1.1\r\nHost: [\r\nConnection: close\r\n\r\n", {421}),
        (b"GET / HTTP/1.1\r\nHost: \xff\xfe\r\nConnection: close\r\n\r\n", {421}),
        (
            b"GET / HTTP/1.1\r\nHost: localhost\r\nOrigin: http://[\r\nConnection: close\r\n\r\n",
            {403},
        ),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nOrigin: \xff\r\nConnection: close\r\n\r\n", {403}),
        (
            b"GET / HTTP/1.1\r\nHost: localhost\r\nOrigin: http://a:b@c:99999999\r\nConnection: close\r\n\r\n",
            {403},
        ),
        (GET + b"Cookie: " + b'=;,\xff"\\' * 1000 + b"\r\nConnection: close\r\n\r\n", {200}),
        (
            b"GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \xff\xfe\x80\r\nConnection: close\r\n\r\n",
            {401},
        ),
        (
            b"GET / HTTP/1.1\r\nHost: localhost\r\nCookie: inventory_session=\xff\xfe; session=%00\r\nConnection: close\r\n\r\n",
            {200, 303, 401},
        ),
        (
            b"GET /api/v1/numbers?%ff=%00&&&=;limit=\xff HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
            {400, 422},
        ),
        (
            b"GET /api/v1/numbers HTTP/1.1\r\nHost: localhost\r\nAccept: \xff;q=\xc2\xb2,*/*;q=1e9,a/b;q=nan\r\nIf-None-Match: \xff\r\nConnection: close\r\n\r\n",
            {200, 406},
        ),
        (
            GET
            + b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            {403, 404},
        ),
        (post(b"Origin: http://[", SMALL, CLOSE, body=b"{}"), {403}),
        (post(b"Expect: 100-continue", SMALL, CLOSE, body=b"{}"), {100, 200}),
        (post(b"Expect: something-else", SMALL, CLOSE, body=b"{}"), {200}),
        (post(b"Validation-Token: a\tb\xff", SMALL, CLOSE, body=b"{}"), {200}),
        (
            post(
                b"Verification-Token: \xff",
                SMALL,
                CLOSE,
                body=b"{}",
                path=PATH + b"?auth_token=%ff%00&auth_token=\xff",
            ),
            {200, 400},
        ),
        (post(b"Connection: Upgrade", b"Upgrade: h2c", SMALL, CLOSE, body=b"{}"), {200}),
        (post(CHUNKED, CLOSE, body=b"2;" + b"x" * 9000 + b"\r\n{}\r\n0\r\n\r\n"), {200}),
        (post(CHUNKED, CLOSE, body=b"2\r\n{}\r\n0\r\nHost: elsewhere\r\n\r\n"), {200}),
        (post(SMALL, CLOSE, body=b"{}" + GET), {200}),
    ],
    ids=lambda said: (
        repr(said.replace(PATH, b"/").replace(b"Host: localhost\r\n", b""))[:60]
        if isinstance(said, bytes)
        else None
    ),
)
def test_what_is_strange_is_answered(client: httpx.Client, said: bytes, expected: set[int]) -> None:
    found = statuses(say(client, said))
    assert found
    assert set(found) <= expected


def test_what_stands_behind_a_body_is_no_header(client: httpx.Client) -> None:
    trailers = b"Validation-Token: mine\r\nOrigin: http://elsewhere\r\nHost: elsewhere\r\n"
    answer = say(client, post(CHUNKED, CLOSE, body=b"2\r\n{}\r\n0\r\n" + trailers + b"\r\n"))
    assert statuses(answer) == [200]
    assert b"mine" not in answer


def test_a_challenge_cannot_bring_headers_of_its_own(client: httpx.Client) -> None:
    for token in (b"a\r\n b", b"a\nX-Mine: b", b"a\rX-Mine: b", b"a%0d%0aX-Mine: b"):
        answer = say(client, post(b"Validation-Token: " + token, SMALL, CLOSE, body=b"{}"))
        head = answer.partition(b"\r\n\r\n")[0].lower()
        assert b"\r\nx-mine" not in head
        assert b"\nx-mine" not in head


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"P",
        GET[:-2],
        post(b"Content-Length: 100", body=b"{"),
        post(CHUNKED, body=b"5\r\n{"),
        post(b"Content-Length: 100", path=b"/healthz"),
        post(
            b"Content-Length: 100",
            b"Content-Type: application/x-www-form-urlencoded",
            path=b"/login",
        ),
        post(CHUNKED, body=b"2\r\n{}\r\n0\r\nTrailer: "),
    ],
    ids=lambda said: repr(said[-30:]),
)
def test_who_does_not_go_on_is_not_waited_for(client: httpx.Client, said: bytes) -> None:
    assert set(statuses(say(client, said))) <= {405, 503}


def test_who_sends_a_byte_now_and_then_is_not_waited_for_either(client: httpx.Client) -> None:
    with dialled(client) as connection:
        connection.sendall(post(b"Content-Length: 999999", path=b"/healthz"))
        assert statuses(connection.recv(65536)) == [405]

        def gone() -> bool:
            try:
                connection.sendall(b"x")
            except ConnectionError:
                return True
            return False

        until(gone)


@pytest.mark.parametrize(
    ("begun", "endless"),
    [
        (GET, b"X: " + b"x" * 1000 + b"\r\n"),
        (b"GET /", b"x" * 1000),
        (b"", b"x" * 1000),
        (post(CHUNKED), b"400\r\n" + b"x" * 1024 + b"\r\n"),
        (post(CHUNKED, body=b"2;"), b"x" * 1000),
        (post(CHUNKED, body=b"2\r\n{}\r\n0\r\n"), b"X: " + b"x" * 1000 + b"\r\n"),
        (post(b"Content-Length: 999999999"), b"x" * 1000),
    ],
    ids=["headers", "a path", "a method", "chunks", "an extension", "trailers", "a body"],
)
def test_what_has_no_end_is_not_taken(client: httpx.Client, begun: bytes, endless: bytes) -> None:
    answer = say(client, begun, *([endless] * (8 * ITEM_LIMIT // 1000)))
    assert set(statuses(answer)) <= {400, 413, 503}


def test_requests_one_after_the_other_are_answered_in_their_order(client: httpx.Client) -> None:
    many = b"".join(
        post(b"Content-Length: %d" % len(SOUND), body=SOUND) + GET + b"\r\n" for _ in range(100)
    )
    answer = say(
        client, many + b"GET /nowhere HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    )
    assert statuses(answer) == [200] * 200 + [404]


def test_what_is_packed_is_kept_as_it_came(
    client: httpx.Client, database_of_module: Database
) -> None:
    packed = gzip.compress(SOUND, mtime=0)
    response = client.post(PATH.decode(), content=packed, headers={"Content-Encoding": "gzip"})
    assert response.status_code == 200
    with database_of_module.connect() as connection:
        kept = connection.execute("SELECT payload FROM inventory.quarantine").fetchall()
    assert (packed,) in kept


TOKENS = st.sampled_from(
    [
        *(
            b"GET ",
            b"POST ",
            b"OPTIONS ",
            PATH,
            b"/healthz",
            b"/",
            b" HTTP/1.1\r\n",
            b" HTTP/1.0\r\n",
        ),
        *(b"Host: localhost\r\n", b"Host: ", b"Content-Length: ", b"0", b"5", b"\r\n", b"\r\n\r\n"),
        *(b"Transfer-Encoding: chunked\r\n", b"5\r\n", b'{"a":', b"1}", b"0\r\n\r\n", b"\n", b"\r"),
        *(
            b"Connection: close\r\n",
            b"Connection: keep-alive\r\n",
            b"Upgrade: websocket\r\n",
            b": ",
        ),
        *(
            b"Expect: 100-continue\r\n",
            b"Validation-Token: x\r\n",
            b"\x00",
            b"\xff",
            b"?",
            b"#",
            b";",
        ),
    ]
)


@settings(max_examples=60)
@given(said=st.lists(TOKENS | st.binary(max_size=20), max_size=12).map(b"".join))
def test_whatever_is_said_the_next_is_answered(client: httpx.Client, said: bytes) -> None:
    answer = say(client, said, b"\r\n\r\n", b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert 500 not in statuses(answer)
    assert client.get("/healthz").status_code == 200
