"""Keeping the projection at the head of the log, over one connection that is kept."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self

from psycopg import Connection

from inventory.projector.fold import fold, lagging

LOOK = 1.0
"""Seconds between looks for what others appended, who cannot wake us."""
REST = 0.25
"""Seconds between folds at least: under load, fewer and larger ones cost the database less."""


class Follower:
    """
    Folds whatever has been appended, whoever appended it.

    Several followers, of this process or of others, share the accounts between them.

    Args:
        connect: Makes a connection.
    """

    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._connect = connect
        self._connection: Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def turn(self, stopped: Callable[[], bool]) -> None:
        """Fold every account that lags, each in a transaction of its own."""
        connection = self._connected()
        try:
            for account_id in lagging(connection):
                with connection.transaction():
                    fold(connection, account_id)
                if stopped():
                    return
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let the connection go."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = self._connect()
            self._connection.autocommit = True
        return self._connection
