"""Forms: what they carry so that nobody else can send them, and what came back."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from hashlib import sha256

from starlette.requests import ClientDisconnect, Request

from inventory.web import session
from inventory.web.pages.asked import parameters
from inventory.web.problem import Problem

CODE = "code"
"""The field that says that a form is ours."""
LONGEST = 64 << 10
"""Bytes of a form."""


def code(cookie: str) -> str:
    """What a form shown to the holder of *cookie* carries: none but us can tell it from that."""
    return hmac.new(cookie.encode(), b"form", sha256).hexdigest()


async def sent(
    request: Request, knows: Sequence[str], cookie_name: str = session.SESSION
) -> Mapping[str, str]:
    """
    The fields of a form that was sent.

    Raises:
        Problem: 400 it did not come to its end, 403 it is no form of ours, 413 too long, 415 or
            422 it is none.
    """
    if request.headers.get("content-type", "").partition(";")[0] != _FORM:
        raise Problem(415, f"expected a form, {_FORM}")
    body = b""
    try:
        async for piece in request.stream():
            body += piece
            if len(body) > LONGEST:
                raise Problem(413, f"expected a form of no more than {LONGEST} bytes")
    except ClientDisconnect:
        raise Problem(400, "expected a form, and whoever sent it went before its end") from None
    fields = dict(parameters(body.decode("latin-1"), (*knows, CODE)))
    cookie = session.cookie_of(request.scope, cookie_name)
    if cookie is None or not _same(code(cookie), fields.pop(CODE, "")):
        raise Problem(403, "expected a form of this session; go back, reload and try again")
    return fields


_FORM = "application/x-www-form-urlencoded"


def _same(expected: str, found: str) -> bool:
    """Whether they are equal, in the same time whichever they are."""
    return hmac.compare_digest(expected.encode(), found.encode())
