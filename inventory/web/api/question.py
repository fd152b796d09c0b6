"""A question: what a request asks of a read, understood."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from typing import Any

from starlette.requests import Request

from inventory.web.api import media
from inventory.web.api.parameters import read_query
from inventory.web.api.read import Read
from inventory.web.problem import Problem

_VERSION = version("inventory")


@dataclass(frozen=True)
class Question:
    """What is asked: of a read, in which form, and what the client has of it."""

    read: Read
    asked: Mapping[str, Any]
    """By the names of parameters, limit and cursor apart."""
    words: str
    """The same, in one spelling."""
    limit: int | None
    cursor: str | None
    form: str
    """The media type of the answer."""
    given: Sequence[tuple[str, str]]
    """The parameters as they were written, less the cursor."""
    known_tags: frozenset[str]
    """The tags of answers that the client has; `*`: whichever."""

    def tag(self, state: bytes) -> str:
        """The tag of the answer, while *state* is what decides it."""
        told = (_VERSION, self.form, self.words, self.limit, self.cursor)
        return '"' + sha256(state + repr(told).encode()).hexdigest()[:32] + '"'

    def knows(self, tag: str) -> bool:
        """Whether the client has the answer of that tag."""
        return tag in self.known_tags or "*" in self.known_tags


def question_of(read: Read, request: Request) -> Question:
    """
    The question that a request asks.

    Raises:
        Problem: 404, 406, 413 or 422.
    """
    if request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers:
        raise Problem(413, "expected no body with a question", headers={"connection": "close"})
    given = request.query_params.multi_items()
    asked = read_query(given, read.parameters)
    named = asked.pop("format", None)
    form = media.NAMED[named] if named else media.preferred(request.headers.getlist("accept"))
    if form is None:
        raise Problem(406, f"expected an Accept of {', '.join(media.OFFERED)}, found none of them")
    limit, cursor = asked.pop("limit", None), asked.pop("cursor", None)
    if "id" in request.path_params:
        asked["id"] = request.path_params["id"]
        if "\x00" in asked["id"]:
            raise Problem(404, "expected a number's id or E.164 number, found none in the path")
    words = repr((read.path, sorted((name, str(value)) for name, value in asked.items())))
    tags = ",".join(request.headers.getlist("if-none-match")).split(",")
    return Question(
        read,
        asked,
        words,
        limit,
        cursor,
        form,
        [(name, text) for name, text in given if name != "cursor"],
        frozenset(tag.strip().removeprefix("W/") for tag in tags),
    )
