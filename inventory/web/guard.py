"""
The guard: who asks must be known to us, and may do what they were let.

Without a valid token in the table nobody is known. Then whoever asks on this very machine may read,
unless others are meant to reach us from outside: a proxy may stand on this machine too, and its
requests look like anybody's.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from psycopg import Connection as DriverConnection
from sqlalchemy import Connection
from starlette.types import ASGIApp, Receive, Scope, Send

from inventory import access
from inventory.access import Bearer
from inventory.settings import is_loopback
from inventory.web import session
from inventory.web.gate import host_of, values_of
from inventory.web.problem import Problem
from inventory.web.readers import Readers

REMEMBERED = 2.0
"""Seconds that an answer about a token is good for, also after it was revoked."""
MANY = 1_000
"""Tokens, good and bad, that are remembered at the most."""
FORWARDED = (b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-real-ip", b"via")
"""What proxies leave on a request."""

log = logging.getLogger(__name__)


class Guard:
    """
    Lets in, as an ASGI application, who may.

    Whom it let in is in the request's state, as `bearer`: null for who needed no token.

    Args:
        application: Behind it.
        readers: Who see the table of tokens.
        open_paths: What needs no token.
        open_here: Whether, without a valid token in the table, this machine's users may read.
    """

    def __init__(
        self, application: ASGIApp, readers: Readers, *, open_paths: Iterable[str], open_here: bool
    ) -> None:
        self._application = application
        self._readers = readers
        self._open_paths = tuple(open_paths)
        self._open_here = open_here
        self._remembered: dict[bytes | None, tuple[float, Any]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The application's answer, or 401, 403 or 503."""
        if scope["type"] == "http" and scope["path"] not in self._open_paths:
            try:
                bearer = await self.admit(scope, "read")
            except Problem as problem:
                await problem.response_to(scope)(scope, receive, send)
                return
            scope.setdefault("state", {})["bearer"] = bearer
        await self._application(scope, receive, send)

    async def admit(self, request: Scope, wanted: access.Scope) -> Bearer | None:
        """
        Whom a request comes from; null: from this machine, and there are no tokens.

        Raises:
            Problem: 401 unknown, 403 known and not let, 503 the database cannot tell.
        """
        given = values_of(request, b"authorization")
        cookie = session.cookie_of(request)
        if not given and cookie is not None:
            bearer = await self._of_session(cookie)
            if bearer is not None:
                return _let(bearer, wanted)
        if not given:
            if wanted == "read" and self.is_near(request) and not await self._any_valid():
                return None
            raise _unknown(
                "expected a bearer token, found none; `inventory token create` makes one"
            )
        scheme, _, token = given[0].partition(" ")
        bearer = None
        if len(given) == 1 and scheme.lower() == "bearer":
            bearer = await self.bearer(token.strip())
        if bearer is None:
            client = (request.get("client") or ("nobody knows where", 0))[0]
            log.warning("a request from %s without a valid token was refused", client)
            raise _unknown("expected a token that is valid, and this one is not", "invalid_token")
        return _let(bearer, wanted)

    def is_near(self, request: Scope) -> bool:
        """Whether it is this machine's users that ask, as far as can be told, and they may."""
        client = request.get("client") or ("", 0)
        asked = [host_of(host) or "" for host in values_of(request, b"host")]
        return (
            self._open_here
            and is_loopback(client[0])
            and all(map(is_loopback, asked))
            and not any(values_of(request, name) for name in FORWARDED)
        )

    async def bearer(self, token: str) -> Bearer | None:
        """Whom *token* stands for; null: it is none of ours, or no more."""

        def find(connection: Connection) -> Bearer | None:
            return access.recognize(_driver(connection), token)

        found: Bearer | None = await self._remember(access.digest(token), find)
        return found

    async def _of_session(self, cookie: str) -> Bearer | None:
        def find(connection: Connection) -> Bearer | None:
            return session.bearer_of(_driver(connection), cookie, datetime.now(UTC))

        found: Bearer | None = await self._remember(
            sha256(f"session {cookie}".encode()).digest(), find
        )
        return found

    async def _any_valid(self) -> bool:
        return bool(await self._remember(None, lambda found: access.any_valid(_driver(found))))

    async def _remember(self, key: bytes | None, find: Any) -> Any:
        """What *find* finds, or found a moment ago."""
        until, found = self._remembered.get(key, (0.0, None))
        if time.monotonic() >= until:
            found = await self._readers.read(find)
            if len(self._remembered) >= MANY:
                self._remembered.clear()
            self._remembered[key] = time.monotonic() + REMEMBERED, found
        return found


_CHALLENGE = 'Bearer realm="inventory"'


def _unknown(detail: str, error: str | None = None) -> Problem:
    challenge = _CHALLENGE if error is None else f'{_CHALLENGE}, error="{error}"'
    return Problem(401, detail, headers={"www-authenticate": challenge})


def _let(bearer: Bearer, wanted: access.Scope) -> Bearer:
    """*bearer*, who may do what is *wanted*."""
    if not bearer.may(wanted):
        log.warning("token %d may not %s", bearer.id, wanted)
        raise Problem(
            403,
            f"expected a token with scope {wanted}, and this one has not",
            headers={
                "www-authenticate": f'{_CHALLENGE}, error="insufficient_scope", scope="{wanted}"'
            },
        )
    return bearer


def _driver(connection: Connection) -> DriverConnection:
    driver = connection.connection.driver_connection
    assert isinstance(driver, DriverConnection)  # noqa: S101 - we make our engines of these
    return driver
