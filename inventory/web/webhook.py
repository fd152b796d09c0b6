"""
`POST /webhooks/ringcentral`: where RingCentral delivers.

Handshake or notification is decided by the body, never by a header alone: RingCentral's guide
and its specification disagree on which header carries the secret, and a receiver that took the one
for the handshake would acknowledge every notification and lose it.

Source: developer guide, *Creating Webhooks*, *Receiving Notifications*, *Troubleshooting*: exactly
200 within 3 seconds, the whole response within 1,024 bytes, `Content-Type: application/json`.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import time
from collections.abc import Callable, Iterable
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from inventory.ingest import GroupCommit, NotTaken
from inventory.ingest.framing import ITEM_LIMIT
from inventory.notification import shape

BODY_WITHIN = 10.0
"""Seconds that a client may take to send a body."""
ANSWER_WITHIN = 2.5
"""Seconds until we say that the database could not do it; RingCentral gives up after 3."""
LONGEST_ECHO = 512
"""Bytes of a validation token that fit into the response RingCentral bears."""

_EMPTY = (b"", b"{}", b"null")
_NOTHING = b"{}"

log = logging.getLogger(__name__)


class Webhook:
    """
    The receiver, as an ASGI application.

    Behind no framework: routing, middleware and a request object would cost three times what it
    does itself.

    Args:
        commit: What makes a notification durable before it is acknowledged.
        tokens: The verification tokens that are valid; empty: none is asked for.
        reminded: Told when RingCentral says that the subscription is about to end.
        answered: Told of each answer its status, and how many seconds it took.
    """

    def __init__(
        self,
        commit: GroupCommit,
        tokens: Iterable[str],
        reminded: Callable[[], None],
        answered: Callable[[int, float], None],
    ) -> None:
        self._commit = commit
        self._reminded = reminded
        self._tokens = [token.encode() for token in tokens]
        self._answered = answered

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """200, and nothing is lost; 401 wrong token; 413 too long; 503 send it again."""
        began = time.perf_counter()
        try:
            start, body = await self._answer(scope, receive)
        except Exception:
            # Whatever it was: only 503 has it sent again.
            log.exception("a delivery was not taken")
            start, body = _answer(503, close=True)
        self._answered(start["status"], time.perf_counter() - began)
        await send(start)
        await send(body)

    async def _answer(self, scope: Scope, receive: Receive) -> tuple[Message, Message]:
        try:
            body = await _body(receive)
        except TimeoutError:
            log.warning("a client did not send its body within %g s", BODY_WITHIN)
            return _answer(503, close=True)
        except _Gone:
            return _answer(503, close=True)  # nobody will read it
        if body is None:
            log.warning("a notification of more than %d bytes was refused", ITEM_LIMIT)
            return _answer(413, close=True)
        headers = dict(reversed(scope["headers"]))  # of one that is repeated, the first counts
        challenge = headers.get(b"validation-token")
        known = self._knows(headers, scope["query_string"])
        looks = shape(body)
        if not looks.notification and challenge is not None:
            # A handshake need not carry the secret, nor is its body documented. Whatever came with
            # the secret may be a notification out of shape, though, and is kept.
            if not known or body.strip() in _EMPTY:
                return _answer(200, challenge)
        elif not known:
            log.warning("a delivery without a valid verification token was refused")
            return _answer(401)
        if looks.reminder:
            log.info("RingCentral reminds us that the subscription is about to end")
            self._reminded()
            return _answer(200, challenge)
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                await self._commit.take(body)
        except (NotTaken, TimeoutError):
            return _answer(503, challenge)
        return _answer(200, challenge)

    def _knows(self, headers: dict[bytes, bytes], query: bytes) -> bool:
        """
        Whether the request carries one of our tokens.

        Takes the same time whichever it is, and whether it is one.
        """
        if not self._tokens:
            return True
        given = [
            headers.get(b"verification-token", b""),
            headers.get(b"validation-token", b""),
            *(text.encode() for text in parse_qs(query.decode("latin-1")).get("auth_token", [])),
        ]
        matches = [hmac.compare_digest(text, token) for text in given for token in self._tokens]
        return any(matches)


def refusing(refusal: Callable[[Scope], object], webhook: Webhook) -> ASGIApp:
    """
    *webhook*, for requests that there is no reason to refuse.

    Without a verification token nothing else keeps a page in somebody's browser from writing.
    """

    async def receive_unless_refused(scope: Scope, receive: Receive, send: Send) -> None:
        if refusal(scope) is None:
            await webhook(scope, receive, send)
            return
        log.warning("a delivery under another name, or from a page in a browser, was refused")
        for message in _answer(403, close=True):
            await send(message)

    return receive_unless_refused


class _Gone(Exception):
    """The client went before it had sent everything."""


async def _body(receive: Receive) -> bytes | None:
    """The whole body; null if it is longer than a notification may be."""
    pieces: list[bytes] = []
    length = 0
    more = True
    async with asyncio.timeout(BODY_WITHIN):
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _Gone
            piece = message.get("body", b"")
            length += len(piece)
            if length > ITEM_LIMIT:
                return None
            pieces.append(piece)
            more = message.get("more_body", False)
    return b"".join(pieces)


def _answer(
    status: int, challenge: bytes | None = None, *, close: bool = False
) -> tuple[Message, Message]:
    """The smallest response that RingCentral takes; *challenge* is echoed, which is harmless."""
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(_NOTHING))]
    if challenge is not None and len(challenge) <= LONGEST_ECHO:
        headers.append((b"validation-token", challenge))
    if close:
        headers.append((b"connection", b"close"))  # the rest of the body is not going to be read
    return (
        {"type": "http.response.start", "status": status, "headers": headers},
        {"type": "http.response.body", "body": _NOTHING},
    )
