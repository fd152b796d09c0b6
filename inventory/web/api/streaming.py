"""
Answers of any length: rows as they come from the database, over a connection of their own.

Whoever is slow is waited for, not written for: there is never more than one chunk of rows in hand.
An answer that cannot be completed says so in its last line, and is not ended as HTTP has it, so
that neither a person nor a program can take it for the whole.
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select
from starlette.types import Receive, Scope, Send

from inventory import rows
from inventory.web.api.media import CSV
from inventory.web.problem import Problem
from inventory.web.readers import Readers, unavailability

CHUNK = 500
"""Rows that are fetched and sent at once."""
TAKEN_WITHIN = 60.0
"""Seconds that a client may take for a chunk; a snapshot that is held on to keeps rows from being
cleaned up."""

log = logging.getLogger(__name__)


class Rows:
    """
    Rows of a snapshot, chunk by chunk, each as bytes.

    Args:
        connection: In the snapshot. Closed with this.
        query: For the rows.
        media: CSV or NDJSON.
    """

    def __init__(self, connection: Connection, query: Select[Any], media: str) -> None:
        self._connection = connection
        self._result = connection.execution_options(yield_per=CHUNK).execute(query)
        self._names = tuple(self._result.keys())
        self._chunks = self._result.mappings().partitions()
        self._csv = media == CSV
        # A fetch cannot be interrupted from outside; who closes waits for it.
        self._one_at_a_time = threading.Lock()
        self._first: bytes | None = rows.csv_of([self._names]).encode() if self._csv else b""
        self._first += self._fetch() or b""

    def next(self) -> bytes | None:
        """The next chunk; null: there are no more."""
        with self._one_at_a_time, unavailability():
            if self._first is not None:
                first, self._first = self._first, None
                return first
            return self._fetch()

    def fault(self, problem: Problem) -> bytes:
        """What the last line says of a *problem*."""
        if self._csv:
            return rows.csv_of([("#error", problem.status, problem.detail)]).encode()
        return json.dumps({"error": problem.body()}).encode() + b"\n"

    def close(self) -> None:
        """Let the connection go."""
        with self._one_at_a_time, self._connection:
            self._result.close()

    def _fetch(self) -> bytes | None:
        chunk = next(self._chunks, None)
        if chunk is None:
            return None
        if self._csv:
            return rows.csv_of([row[name] for name in self._names] for row in chunk).encode()
        return "".join(rows.json_of(row, self._names) + "\n" for row in chunk).encode()


class Stream:
    """The response, as an ASGI application: *found*, with these headers; *done* when it is over."""

    def __init__(
        self,
        found: Rows,
        readers: Readers,
        headers: Mapping[str, str],
        done: Callable[[], None],
    ) -> None:
        self._rows = found
        self._readers = readers
        self._headers = headers
        self._done = done

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, as far as there is anybody to take it."""
        gone = asyncio.create_task(_gone(receive))
        try:
            await send(_start(self._headers))
            while not gone.done():
                chunk = await self._next()
                async with asyncio.timeout(TAKEN_WITHIN):
                    if isinstance(chunk, bytes):
                        await send(_body(chunk, more=True))
                    elif chunk is None:
                        await send(_body(b"", more=False))
                        return
                    else:
                        log.warning("%s was not answered to the end", scope["path"])
                        await send(_body(self._rows.fault(chunk), more=True))
                        return  # without an end, upon which the server hangs up
        except TimeoutError:
            log.warning("who asked for %s does not take the answer", scope["path"])
        finally:
            gone.cancel()
            self._readers.later(self._rows.close)
            self._done()

    async def _next(self) -> bytes | Problem | None:
        try:
            return await self._readers.apart(self._rows.next)
        except Problem as problem:
            return problem
        except Exception:
            log.exception("reading on failed")
            return Problem(500, "expected more rows, and failed to find them; the log says why")


async def _gone(receive: Receive) -> None:
    """Come back when the client has hung up."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _start(headers: Mapping[str, str]) -> dict[str, Any]:
    sent: Sequence[tuple[bytes, bytes]] = [
        (name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()
    ]
    return {"type": "http.response.start", "status": 200, "headers": sent}


def _body(chunk: bytes, *, more: bool) -> dict[str, Any]:
    return {"type": "http.response.body", "body": chunk, "more_body": more}
