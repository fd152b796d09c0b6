"""Threads and connections for those who ask."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import psycopg
import sqlalchemy.exc
from sqlalchemy import Connection

from inventory.database import READ_WITHIN, Database, DatabaseUnavailable
from inventory.web.problem import Problem

RETRY_AFTER = {"retry-after": "5"}

log = logging.getLogger(__name__)
Found = TypeVar("Found")


class Readers:
    """
    Reads within an event loop, each in a thread and a transaction of its own.

    No more at once than there are threads; the others wait for their turn.

    Args:
        database: What is read, with whose rights.
        threads: How many of them at the most; each may have a connection, which is kept.
        held: Connections that may be held beyond a read, to read on from.
    """

    def __init__(self, database: Database, threads: int, *, held: int = 0) -> None:
        self.engine = database.snapshots(threads + held)
        self._threads = ThreadPoolExecutor(threads, "readers")

    async def read(self, what: Callable[[Connection], Found]) -> Found:
        """
        What *what* finds in one snapshot.

        Raises:
            Problem: 503, the database could not do it, or not in time.
        """
        return await self.apart(lambda: self._read(what))

    async def apart(self, what: Callable[[], Found]) -> Found:
        """What *what* gives, in a thread of ours."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, what)

    def later(self, what: Callable[[], None]) -> None:
        """Have *what* done in a thread of ours, and do not wait for it."""
        self._threads.submit(what)

    def close(self) -> None:
        """Let the connections go, when the reads in hand are done."""
        self._threads.shutdown()
        self.engine.dispose()

    def _read(self, what: Callable[[Connection], Found]) -> Found:
        def read() -> Found:
            with self.engine.connect() as connection:
                return what(connection)

        with unavailability():
            return once_more(read)


def once_more(read: Callable[[], Found]) -> Found:
    """
    What *read* finds, at the second attempt if the first met a connection that had been cut.

    Connections are kept, and asked nothing before they are used: that would be a round trip for
    every read. One that is found cut has all the others given up.
    """
    try:
        return read()
    except sqlalchemy.exc.DBAPIError as error:
        if not error.connection_invalidated:
            raise
    return read()


@contextmanager
def unavailability() -> Iterator[None]:
    """Turns what the database could not do into a problem, 503, and says in the log what it was."""
    try:
        yield
    except DatabaseUnavailable as error:
        log.warning("%s", error)
    except sqlalchemy.exc.OperationalError as error:
        said = str(error.orig).strip().partition("\n")[0]
        if isinstance(error.orig, psycopg.errors.ObjectNotInPrerequisiteState):
            raise Problem(409, said) from None  # some of the log is in an archive alone
        log.warning("%s", said)
        if isinstance(error.orig, psycopg.errors.QueryCanceled):
            raise Problem(
                503, f"expected to find it within {READ_WITHIN}; ask for less", headers=RETRY_AFTER
            ) from None
    else:
        return
    raise Problem(503, "expected a database that answers; try again", headers=RETRY_AFTER) from None
