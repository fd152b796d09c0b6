"""
Group commit: all that arrived while the last commit was in flight goes into the next.

A commit costs about the same for one notification as for a thousand. Whoever waits, waits for the
commit in flight and for their own, never for a third.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg
from psycopg import Connection

from inventory.database import DatabaseUnavailable
from inventory.errors import InventoryError
from inventory.ingest.intake import Intake, Outcome

GROUP = 1_000
"""Notifications a transaction at most."""
WAITING = 10_000
"""Notifications that may wait for the database at most; each is at most `ITEM_LIMIT` bytes."""
WAITING_BYTES = 64 << 20
"""Bytes that may wait for it at most, all together."""

log = logging.getLogger(__name__)


class NotTaken(InventoryError):
    """A notification is not durable, or not known to be; sending it again is harmless."""


class GroupCommit:
    """
    Takes notifications from many at once, in as few transactions as their haste allows.

    To be used within one event loop; the database is met in a thread of its own, over one
    connection that is kept.

    Args:
        connect: Makes a connection, with what limits of time it is to have.
        intake: Used by nobody else.
        written: Told of each commit, after it, within the event loop.
    """

    def __init__(
        self,
        connect: Callable[[], Connection],
        intake: Intake,
        written: Callable[[Outcome], None],
    ) -> None:
        self._connect = connect
        self._intake = intake
        self._written = written
        self._connection: Connection | None = None
        self._thread = ThreadPoolExecutor(1, "group-commit")
        self._waiting: list[tuple[bytes, asyncio.Future[None]]] = []
        self._bytes = 0
        self._worker: asyncio.Task[None] | None = None

    async def take(self, payload: bytes) -> None:
        """
        Come back when *payload* is durable: in the log, or in quarantine.

        Raises:
            NotTaken: The database could not do it, or too many wait for it already.
        """
        if len(self._waiting) >= WAITING or self._bytes + len(payload) > WAITING_BYTES:
            raise NotTaken("expected a database that keeps up, but too many notifications wait")
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((payload, done))
        self._bytes += len(payload)
        if self._worker is None:
            self._worker = asyncio.create_task(self._work())
        await done

    async def close(self) -> None:
        """Write what waits, and let the connection go."""
        if self._worker is not None:
            await self._worker
        await asyncio.get_running_loop().run_in_executor(self._thread, self._disconnect)
        self._thread.shutdown()

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                group, self._waiting = self._waiting[:GROUP], self._waiting[GROUP:]
                payloads = [payload for payload, _ in group]
                self._bytes -= sum(map(len, payloads))
                fault: NotTaken | None = None
                try:
                    outcome = await loop.run_in_executor(self._thread, self._write, payloads)
                except Exception as error:  # noqa: BLE001, RUF100 - whoever waits must hear of it
                    fault = NotTaken(_cause(error))
                    log.warning("%d notifications were not taken: %s", len(group), fault)
                for _, done in group:
                    if done.done():  # whoever waited has gone
                        continue
                    if fault is None:
                        done.set_result(None)
                    else:
                        done.set_exception(fault)
                if fault is None:
                    self._written(outcome)
        finally:
            self._worker = None

    def _write(self, payloads: list[bytes]) -> Outcome:
        """Read and write, on the kept connection; on a new one if that has died meanwhile."""
        read = self._intake.read(payloads)
        kept = self._connection
        try:
            return self._intake.write(self._connected(), read)
        except psycopg.errors.QueryCanceled:
            raise
        except psycopg.OperationalError:
            self._disconnect()
            if kept is None:
                raise
        # Written twice it is in the log once, should the first have been committed after all.
        return self._intake.write(self._connected(), read)

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = self._connect()
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _cause(error: Exception) -> str:
    """What went wrong, in a line; of an error of ours or PostgreSQL's, which name no secret."""
    if isinstance(error, (psycopg.Error, DatabaseUnavailable)):
        return str(error).strip().partition("\n")[0] or type(error).__name__
    return type(error).__name__
