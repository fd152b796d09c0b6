"""What a resource offers: its operations, and how it refuses one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response


class Operation(NamedTuple):
    """A method on a path. The path's parameters are named as in RingCentral's specification."""

    method: str
    path: str
    group: str
    """Whose budget pays for it."""
    answer: Callable[[Request], Awaitable[Response]]
    needs_token: bool = True


class Refusal(Exception):
    """A request is answered with an error."""

    def __init__(self, status: int, code: str, message: str, parameter: str | None = None) -> None:
        self.status = status
        self.code = code
        self.message = message
        self.parameter = parameter
        super().__init__(f"{status} {code} {message}")

    def body(self) -> dict[str, Any]:
        """As the platform says it: in `errors`, and at the top once more."""
        named = {} if self.parameter is None else {"parameterName": self.parameter}
        error = {"errorCode": self.code, "message": self.message, **named}
        return {**error, "errors": [error]}


def invalid(parameter: str, why: str = "") -> Refusal:
    """The refusal of a parameter's value."""
    message = f"Parameter [{parameter}] value is invalid"
    return Refusal(400, "CMN-101", f"{message}. {why}" if why else message, parameter)


def not_found(parameter: str) -> Refusal:
    """The refusal of what there is not, or not for this user."""
    return Refusal(404, "CMN-102", f"Resource for parameter [{parameter}] is not found", parameter)
