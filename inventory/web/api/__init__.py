"""The read API: every question that can be asked over HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.routing import Route
from starlette.types import ASGIApp

from inventory.web.api.answering import STREAMS, Answers
from inventory.web.api.read import Read
from inventory.web.api.reads import READS
from inventory.web.readers import Readers

__all__ = ["READS", "STREAMS", "routes"]


def routes(readers: Mapping[str, Readers]) -> list[Route]:
    """A route for each read, answered by the *readers* who may."""
    answers = Answers(readers)
    return [Route(read.path, _endpoint(answers, read), methods=["GET"]) for read in READS]


def _endpoint(answers: Answers, read: Read) -> Callable[[Request], Awaitable[ASGIApp]]:
    async def answer(request: Request) -> ASGIApp:
        return await answers.to(read, request)

    return answer
