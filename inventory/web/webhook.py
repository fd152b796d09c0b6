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
from collections.abc import Callable, Iterable

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

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
    The receiver.

    Args:
        commit: What makes a notification durable before it is acknowledged.
        tokens: The verification tokens that are valid; empty: none is asked for.
        reminded: Told when RingCentral says that the subscription is about to end.
    """

    def __init__(
        self, commit: GroupCommit, tokens: Iterable[str], reminded: Callable[[], None]
    ) -> None:
        self._commit = commit
        self._reminded = reminded
        self._tokens = [token.encode() for token in tokens]

    async def receive(self, request: Request) -> Response:
        """200, and nothing is lost; 401 wrong token; 413 too long; 503 send it again."""
        try:
            body = await _body(request)
        except TimeoutError:
            log.warning("a client did not send its body within %g s", BODY_WITHIN)
            return _answer(503, close=True)
        except ClientDisconnect:
            return _answer(503, close=True)  # nobody will read it
        if body is None:
            log.warning("a notification of more than %d bytes was refused", ITEM_LIMIT)
            return _answer(413, close=True)
        challenge = request.headers.get("validation-token")
        known = self._knows(request)
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

    def _knows(self, request: Request) -> bool:
        """
        Whether the request carries one of our tokens.

        Takes the same time whichever it is, and whether it is one.
        """
        if not self._tokens:
            return True
        given = [
            request.headers.get("verification-token", ""),
            request.headers.get("validation-token", ""),
            request.query_params.get("auth_token", ""),
        ]
        matches = [
            hmac.compare_digest(text.encode(), token) for text in given for token in self._tokens
        ]
        return any(matches)


async def _body(request: Request) -> bytes | None:
    """The whole body; null if it is longer than a notification may be."""
    pieces: list[bytes] = []
    length = 0
    async with asyncio.timeout(BODY_WITHIN):
        async for piece in request.stream():
            length += len(piece)
            if length > ITEM_LIMIT:
                return None
            pieces.append(piece)
    return b"".join(pieces)


def _answer(status: int, challenge: str | None = None, *, close: bool = False) -> Response:
    """The smallest response that RingCentral takes; *challenge* is echoed, which is harmless."""
    headers = {"content-type": "application/json"}
    if challenge is not None and len(challenge) <= LONGEST_ECHO:
        headers["validation-token"] = challenge
    if close:
        headers["connection"] = "close"  # the rest of the body is not going to be read
    return Response(_NOTHING, status, headers)
