"""`/login` and `/logout`: from a token to a session, and its end."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from inventory.web import forms, session, templating
from inventory.web.guard import Guard
from inventory.web.problem import LOGIN

LOGOUT = "/logout"
OPEN = (LOGIN,)


def routes() -> list[Route]:
    """Coming and going."""
    return [
        Route(LOGIN, _ask, methods=["GET"]),
        Route(LOGIN, _enter, methods=["POST"]),
        Route(LOGOUT, _leave, methods=["POST"]),
    ]


async def _ask(request: Request) -> Response:
    """A form that asks for a token."""
    return _form(request, request.query_params.get("next", ""))


async def _enter(request: Request) -> Response:
    """A session for whoever gave a token that is valid."""
    fields = await forms.sent(request, ("token", "next"), session.VISIT)
    guard: Guard = request.app.state.guard
    token = fields.get("token", "").strip()
    bearer = await guard.bearer(token)
    if bearer is None:
        return _form(request, fields.get("next", ""), refused=True)
    response = RedirectResponse(_ours(fields.get("next", "")), 303)
    session.give(response, request.scope, session.begin(bearer, token, datetime.now(UTC)))
    return response


async def _leave(request: Request) -> Response:
    """The end of the session, as far as this browser goes."""
    await forms.sent(request, ())
    response = RedirectResponse(LOGIN, 303)
    session.take(response, request.scope)
    return response


def _form(request: Request, next_: str, *, refused: bool = False) -> Response:
    visit = session.cookie_of(request.scope, session.VISIT) or secrets.token_hex(16)
    context: dict[str, Any] = {
        "bare": True,
        "next": _ours(next_),
        "code": forms.code(visit),
        "refused": refused,
    }
    response = templating.page("login.html", context, 401 if refused else 200, headers={})
    session.give(response, request.scope, visit, session.VISIT)
    return response


def _ours(next_: str) -> str:
    """*next_* if it is a path of ours, else the first page: nobody is sent elsewhere from here."""
    found = urlsplit(next_.replace("\\", "/"))
    is_path = not found.scheme and not found.netloc and next_.startswith("/")
    return next_ if is_path and not next_.startswith("//") and next_.isprintable() else "/"
