"""
The gate: what is not meant for us is turned away, and what goes out says how it may be used.

A page of a stranger's, open in somebody's browser, can have its own name point to the address we
listen on, and then ask us as if we were the stranger (DNS rebinding). The name it asks for is in
`Host`; so is only answered who asks for a name of ours.
"""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from inventory.settings import Settings, host_name, is_loopback
from inventory.web.problem import Problem

PROBES = ("/healthz", "/readyz")
"""Balancers and orchestrators ask for these, by whatever name or address they like."""

HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
)
"""What goes with every response that does not say otherwise."""

log = logging.getLogger(__name__)


class Hosts:
    """
    The names we go by.

    Args:
        bound: The address that is listened on. If that is all of them, so is every address ours;
            a name cannot be made to look like one.
        named: Names that the settings say.
    """

    def __init__(self, bound: str, named: Iterable[str]) -> None:
        self._bound = host_name(bound)
        self._named = frozenset(named)
        # Nearly every request asks for the same one.
        self.include = lru_cache(maxsize=64)(self._include)
        """Whether an authority, `name:port`, is ours."""

    @classmethod
    def of(cls, settings: Settings, bound: str) -> Hosts:
        """Those that *settings* say, and where we listen."""
        reached = {settings.webhook_host} - {None}
        return cls(bound, {*settings.allowed_hosts, *filter(None, reached)})

    def _include(self, authority: str | None) -> bool:
        host = host_of(authority)
        return host is not None and (
            is_loopback(host)
            or host == self._bound
            or host in self._named
            or (_is_every_address(self._bound) and _is_address(host))
        )

    def may_come_from(self, origin: str, authority: str | None) -> bool:
        """
        Whether a browser's page of that *origin* may ask us under that *authority*.

        Only our own may. Behind a proxy we may be asked under another name than the browser was.
        """
        try:
            found = urlsplit(origin).netloc
        except ValueError:
            return False
        return bool(found) and (
            found.lower() == (authority or "").lower() or host_of(found) in self._named
        )


class Gate:
    """
    Lets in, as an ASGI application, whoever asks for one of our *hosts*.

    Sees to the headers that go out, and to what fails behind it.
    """

    def __init__(self, application: ASGIApp, hosts: Hosts) -> None:
        self._application = application
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The application's answer, or 403 or 421."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = with_headers(message)
            await send(message)

        problem = None if scope["path"] in PROBES else self.refusal(scope)
        if problem is not None:
            await problem.response_to(scope)(scope, receive, send_with_headers)
            return
        try:
            await self._application(scope, receive, send_with_headers)
        except Exception:
            # It was answered with 500; an answer that had begun is cut off by the server.
            log.exception("%s %s failed", scope["method"], scope["path"])

    def refusal(self, scope: Scope) -> Problem | None:
        """Why such a request is not let in; null if it is."""
        hosts = values_of(scope, b"host")
        authority = hosts[0] if len(hosts) == 1 else None
        if not self._hosts.include(authority):
            return Problem(
                421,
                "expected a Host that this server goes by, and it is not this one; "
                "INVENTORY_ALLOWED_HOSTS names more",
            )
        for origin in values_of(scope, b"origin"):
            if not self._hosts.may_come_from(origin, authority):
                return Problem(403, "expected no page of another origin to ask, and one does")
        return None


def host_of(authority: str | None) -> str | None:
    """The host in `host:port`; null if there is none to be found."""
    try:
        return host_name(urlsplit(f"//{authority or ''}").hostname or "")
    except ValueError:
        return None


def values_of(scope: Scope, name: bytes) -> list[str]:
    """The values of a header, each time it stands there."""
    return [value.decode("latin-1") for found, value in scope["headers"] if found == name]


def with_headers(start: Message) -> Message:
    """*start* with every header of `HEADERS` that it does not have."""
    headers = list(start.get("headers", ()))
    there = {name for name, _ in headers}
    headers += [(name, value) for name, value in HEADERS if name not in there]
    return {**start, "headers": headers}


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_every_address(host: str) -> bool:
    return _is_address(host) and ipaddress.ip_address(host).is_unspecified
