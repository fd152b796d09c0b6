"""Errors as RFC 9457 has them, `application/problem+json`; and as a page, for browsers."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import Scope

from inventory.web import templating

MEDIA_TYPE = "application/problem+json"
LOGIN = "/login"
"""Where people with browsers say who they are."""


class Problem(Exception):
    """
    A request that is answered with an error.

    Args:
        status: HTTP's.
        detail: A sentence for people.
        headers: To go with the response.
        members: Facts for programs.
    """

    def __init__(
        self, status: int, detail: str, *, headers: dict[str, str] | None = None, **members: Any
    ) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail
        self.headers, self.members = headers or {}, members

    def response_to(self, scope: Scope) -> Response:
        """What is sent: a page to a browser, which is taken to /login if it must be known first."""
        if not _wants_page(scope):
            return self._json()
        if self.status == 401 and scope["path"] != LOGIN and scope["method"] == "GET":
            query = scope["query_string"].decode("latin-1")
            meant = quote(scope["path"]) + (f"?{query}" if query else "")
            return RedirectResponse(f"{LOGIN}?{urlencode({'next': meant})}", 303)
        context = {"title": HTTPStatus(self.status).phrase, "detail": self.detail, "bare": True}
        return templating.page("problem.html", context, self.status, headers=self.headers)

    def body(self) -> dict[str, Any]:
        """What is said."""
        return {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            **self.members,
        }

    def _json(self) -> JSONResponse:
        return JSONResponse(self.body(), self.status, self.headers, MEDIA_TYPE)


async def of_problem(request: Request, problem: Exception) -> Response:
    """The response that says *problem*."""
    assert isinstance(problem, Problem)  # noqa: S101 - registered for these alone
    return problem.response_to(request.scope)


async def of_http_exception(request: Request, error: Exception) -> Response:
    """The response to what the framework found wrong: no such path, no such method."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for these alone
    details = {
        404: f"expected a path that there is, found {request.url.path}",
        405: f"expected a method that the path knows, found {request.method}",
    }
    detail = details.get(error.status_code, error.detail)
    problem = Problem(error.status_code, detail, headers=dict(error.headers or {}))
    return problem.response_to(request.scope)


async def of_fault(request: Request, _: Exception) -> Response:
    """The response to what nobody thought of; it says no more than that."""
    problem = Problem(500, "expected an answer, and failed to find it; the log says why")
    return problem.response_to(request.scope)


def _wants_page(scope: Scope) -> bool:
    """Whether a person asks for a page; programs that take anything get what programs read."""
    return not scope["path"].startswith("/api/") and any(
        name == b"accept" and b"text/html" in value for name, value in scope["headers"]
    )
