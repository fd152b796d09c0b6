"""
Sessions of people with browsers: who gave a token at /login is known by a cookie for a while.

The cookie says which token it was got with and until when it holds, under a code keyed with what is
kept of the token. So nothing is kept of a session, any of several servers can tell whether it is
good, and it ends with its token. Logging out makes the browser forget it.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.cookies import CookieError, SimpleCookie

from psycopg import Connection
from starlette.responses import Response
from starlette.types import Scope

from inventory import access
from inventory.access import Bearer
from inventory.settings import is_loopback
from inventory.web.gate import host_of, values_of

LASTS = timedelta(hours=12)
SESSION = "inventory_session"
VISIT = "inventory_visit"
"""Who has no session yet: what the form at /login is bound to."""


def begin(bearer: Bearer, token: str, now: datetime) -> str:
    """A cookie for whoever gave *token*, which *bearer* is known by."""
    until = min(now + LASTS, bearer.expires_at or now + LASTS)
    said = f"{bearer.id}.{int(until.timestamp())}.{secrets.token_hex(16)}"
    return f"{said}.{_code(access.digest(token), said)}"


def bearer_of(connection: Connection, cookie: str, now: datetime) -> Bearer | None:
    """Whom *cookie* stands for; null: it is none of ours, or no more."""
    said, _, code = cookie.rpartition(".")
    try:
        id_, until, _ = said.split(".")
        if now.timestamp() >= int(until):
            return None
        found = access.valid(connection, int(id_))
    except (ValueError, OverflowError):
        return None
    if found is None:
        return None
    bearer, digest = found
    genuine = hmac.compare_digest(_code(digest, said).encode(), code.encode())
    return bearer if genuine else None


def cookie_of(scope: Scope, name: str = SESSION) -> str | None:
    """The cookie of that name that came with a request."""
    for header in values_of(scope, b"cookie"):
        try:
            found = SimpleCookie(header).get(_named(scope, name))
        except CookieError:
            continue
        if found is not None and found.value.isascii():
            return found.value
    return None


def give(response: Response, scope: Scope, value: str, name: str = SESSION) -> None:
    """
    Have the browser keep a cookie, for its session and no script.

    Lax: whoever follows a link to a page from elsewhere is known there, and a form elsewhere sends
    none.
    """
    response.set_cookie(
        _named(scope, name), value, httponly=True, samesite="lax", secure=_is_secret(scope)
    )


def take(response: Response, scope: Scope) -> None:
    """Have the browser forget the session."""
    response.delete_cookie(
        _named(scope, SESSION), httponly=True, samesite="lax", secure=_is_secret(scope)
    )


def until(cookie: str) -> datetime:
    """When a good cookie ends."""
    return datetime.fromtimestamp(int(cookie.split(".")[1]), UTC)


def _code(key: bytes, said: str) -> str:
    return hmac.new(key, f"session {said}".encode(), sha256).hexdigest()


def _is_secret(scope: Scope) -> bool:
    """
    Whether nobody listens in between, as far as can be told.

    Beyond loopback it is taken for granted, whatever a proxy says: over a line that is not, a
    browser then keeps no cookie, rather than show it to everybody.
    """
    asked = values_of(scope, b"host")
    return scope["scheme"] == "https" or not is_loopback(host_of(asked[0] if asked else "") or "")


def _named(scope: Scope, name: str) -> str:
    """The prefix has browsers refuse it from any other host, path or scheme."""
    return f"__Host-{name}" if _is_secret(scope) else name
