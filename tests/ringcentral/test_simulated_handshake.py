"""The simulator asks an address as RingCentral does before it delivers there."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from inventory.simulator import delivery
from inventory.subscription import NUMBERS

PATH = "/restapi/v1.0/subscription"


def create(http: httpx.Client, address: str) -> httpx.Response:
    mode = {"transportType": "WebHook", "address": address}
    return http.post(PATH, json={"eventFilters": [NUMBERS], "deliveryMode": mode})


def code(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["errors"][0]["errorCode"]


@contextmanager
def answering(build: Any) -> Iterator[str]:
    """An address whose answers are *build*'s bytes, made of the token that it is to echo."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            token = b""
            while line := self.rfile.readline().strip():
                name, _, value = line.partition(b": ")
                token = value if name.lower() == b"validation-token" else token
            self.wfile.write(build(token))

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(("length", "refusal"), [(1024, None), (1025, "SUB-525")])
def test_an_answer_may_have_1024_bytes_head_and_body_together(
    http: httpx.Client, length: int, refusal: str | None
) -> None:
    def build(token: bytes) -> bytes:
        head = (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
            b"Validation-Token: " + token + b"\r\nContent-Length: 700\r\nX-Rest: "
        )
        return (
            head + b"x" * (length - len(head) - len(b"\r\n\r\n") - 700) + b"\r\n\r\n" + b"y" * 700
        )

    with answering(build) as address:
        answer = create(http, address)
    assert answer.status_code == (200 if refusal is None else 400)
    assert refusal is None or code(answer) == (400, refusal)


@pytest.mark.parametrize(
    ("head", "refusal"),
    [
        (
            b"HTTP/1.1 201 Created\r\nValidation-Token: %s\r\nContent-Type: application/json",
            "CMN-101",
        ),
        (b"HTTP/1.1 302 Found\r\nLocation: /\r\nValidation-Token: %s", "CMN-101"),
        (b"HTTP/1.1 200 OK\r\nValidation-Token: %s", "SUB-525"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: application/json", "SUB-520"),
        (b"not HTTP", "CMN-101"),
    ],
)
def test_an_answer_must_be_200_with_the_token_and_a_content_type(
    http: httpx.Client, head: bytes, refusal: str
) -> None:
    def build(token: bytes) -> bytes:
        return head.replace(b"%s", token) + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

    with answering(build) as address:
        answer = create(http, address)
    assert code(answer) == (400, refusal)


def test_an_answer_that_is_too_late_is_none(
    http: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert delivery.ANSWER_WITHIN == 3.0
    monkeypatch.setattr(delivery, "ANSWER_WITHIN", 0.1)
    enough = threading.Event()

    def build(_: bytes) -> bytes:
        enough.wait(30)
        return b""

    with answering(build) as address:
        answer = create(http, address)
        enough.set()
    assert code(answer) == (400, "CMN-101")
    assert "Read timed out" in answer.json()["message"]
