"""Errors as RFC 9457 has them: `application/problem+json`."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

MEDIA_TYPE = "application/problem+json"


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

    def body(self) -> dict[str, Any]:
        """What is said."""
        return {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            **self.members,
        }

    def response(self) -> JSONResponse:
        """What is sent."""
        return JSONResponse(self.body(), self.status, self.headers, MEDIA_TYPE)


async def of_problem(_: Request, problem: Exception) -> JSONResponse:
    """The response that says *problem*."""
    assert isinstance(problem, Problem)  # noqa: S101 - registered for these alone
    return problem.response()


async def of_http_exception(request: Request, error: Exception) -> JSONResponse:
    """The response to what the framework found wrong: no such path, no such method."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for these alone
    details = {
        404: f"expected a path that there is, found {request.url.path}",
        405: f"expected a method that the path knows, found {request.method}",
    }
    detail = details.get(error.status_code, error.detail)
    return Problem(error.status_code, detail, headers=dict(error.headers or {})).response()


async def of_fault(_: Request, __: Exception) -> JSONResponse:
    """The response to what nobody thought of; it says no more than that."""
    return Problem(500, "expected an answer, and failed to find it; the log says why").response()
