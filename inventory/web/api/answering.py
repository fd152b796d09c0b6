"""How a question is answered: its rows found, written and tagged."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeAlias
from urllib.parse import urlencode

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from inventory import read_model, rows
from inventory.web.api import media
from inventory.web.api.cursor import cursor_after, row_before
from inventory.web.api.parameters import USUAL, unusable
from inventory.web.api.question import Question, question_of
from inventory.web.api.read import Read
from inventory.web.api.streaming import Rows, Stream
from inventory.web.problem import Problem
from inventory.web.readers import RETRY_AFTER, Readers, once_more, unavailability

STREAMS = 4
"""Answers in CSV or NDJSON at once; each holds a connection and a snapshot while it lasts."""


class Answers:
    """
    Answers reads.

    Args:
        readers: Who may read what, by the names of their roles.
    """

    def __init__(self, readers: Mapping[str, Readers]) -> None:
        self._readers = readers
        self._streams = 0

    async def to(self, read: Read, request: Request) -> ASGIApp:
        """
        The response.

        Raises:
            Problem: 404, 406, 413, 422, 503.
        """
        question = question_of(read, request)
        readers = self._readers[read.reader]
        if question.form == media.JSON or read.one:
            return await readers.read(lambda connection: _page(connection, question))
        return await self._stream(question, readers, head=request.method == "HEAD")

    async def _stream(self, question: Question, readers: Readers, *, head: bool) -> ASGIApp:
        if self._streams >= STREAMS:
            raise Problem(
                503,
                f"expected fewer than {STREAMS} answers in CSV or NDJSON at once; try again",
                headers=RETRY_AFTER,
            )
        self._streams += 1
        try:
            begun = await readers.apart(lambda: _begin(readers, question, head=head))
        except BaseException:
            self._end_stream()
            raise
        if isinstance(begun, Response):
            self._end_stream()
            return begun
        found, headers = begun
        return Stream(found, readers, headers, self._end_stream)

    def _end_stream(self) -> None:
        self._streams -= 1


def _page(connection: Connection, question: Question) -> Response:
    """One page in JSON, or one row in any form; 304 if the client has it."""
    read = question.read
    tag = None
    if read.from_log:
        tag = _tag_of_log(connection, question)
        if question.knows(tag):
            return _unchanged(tag)
    limit = USUAL if question.limit is None else question.limit
    query = read_model.ordered(_query(connection, question), read.key).limit(limit + 1)
    result = connection.execute(query)
    names = tuple(result.keys())
    found = result.mappings().all()
    headers = {"content-type": media.content_type(question.form)}
    if read.one:
        body = _row(found, names, question)
    else:
        next_ = None
        if len(found) > limit:
            found = found[:limit]
            next_ = cursor_after(found[-1], read.key, question.words)
            # Relative to what was asked, by whatever name that was.
            link = urlencode([*question.given, ("cursor", next_)])
            headers["link"] = f'<?{link}>; rel="next"'
        lines = ",\n".join(rows.json_of(row, names) for row in found)
        body = f'{{"rows": [{lines}], "next": {json.dumps(next_)}}}\n'
    if tag is None:
        tag = question.tag(body.encode())
        if question.knows(tag):
            return _unchanged(tag)
    return Response(body, headers=headers | _freshness(tag))


Begun: TypeAlias = tuple[Rows, dict[str, str]] | Response


def _begin(readers: Readers, question: Question, *, head: bool) -> Begun:
    """The rows, the first of them fetched already, and the headers to go with them; or 304."""
    with unavailability():
        return once_more(lambda: _opened(readers.engine.connect(), question, head=head))


def _opened(connection: Connection, question: Question, *, head: bool) -> Begun:
    headers = {"content-type": media.content_type(question.form)}
    try:
        if question.read.from_log:
            tag = _tag_of_log(connection, question)
            headers |= _freshness(tag)
            if question.knows(tag):
                connection.close()
                return _unchanged(tag)
        else:
            headers |= _freshness(None)
        query = read_model.ordered(_query(connection, question), question.read.key)
        if head:
            connection.close()
            return _head(headers)
        return Rows(connection, query.limit(question.limit), question.form), headers
    except BaseException:
        connection.close()
        raise


def _tag_of_log(connection: Connection, question: Question) -> str:
    account = question.asked.get("account")
    return question.tag(read_model.state(connection, account=account))


def _query(connection: Connection, question: Question) -> Any:
    """The query for all rows, or for those after the cursor."""
    read = question.read
    query = read.find(connection, question.asked)
    if question.cursor is None:
        return query
    row = row_before(question.cursor, read.key, query, question.words)
    return read_model.after(query, read.key, row)


def _row(found: Any, names: tuple[str, ...], question: Question) -> str:
    """The one row that was found, in the form that is wanted."""
    if not found:
        raise Problem(
            404,
            "expected a number in Contact Center, and it is not; its history says what it was",
        )
    if len(found) > 1:
        keys = [{key.name: row[key.name] for key in question.read.key} for row in found]
        problem = unusable({"id": "expected one number, found several; ask by id and account"})
        problem.members["numbers"] = keys
        raise problem
    if question.form == media.CSV:
        return rows.csv_of([names, [found[0][name] for name in names]])
    return rows.json_of(found[0], names) + "\n"


def _head(headers: Mapping[str, str]) -> Response:
    """The response to HEAD for what has no length before it has been written."""
    response = Response(headers=headers)
    del response.headers["content-length"]
    return response


def _unchanged(tag: str) -> Response:
    return Response(status_code=304, headers=_freshness(tag))


def _freshness(tag: str | None) -> dict[str, str]:
    """The headers that say how long an answer may be used: after asking whether it is the same."""
    headers = {"vary": "Accept, Authorization, Cookie", "cache-control": "private, no-cache"}
    return headers if tag is None else headers | {"etag": tag}
