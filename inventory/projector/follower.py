"""Keeping the projection at the head of the log, for as long as a process serves."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from psycopg import Connection

from inventory.projector.fold import fold, lagging

LOOK = 1.0
"""Seconds between looks for what others appended, who cannot wake us."""
REST = 0.05
"""Seconds between folds at least: under load, fewer and larger ones cost the database less."""
LONGEST_WAIT = 30.0
"""Seconds between attempts at most, while the database cannot be reached."""

log = logging.getLogger(__name__)


class Follower:
    """
    A thread that folds what is appended: at once when woken, and every so often in any case.

    Several followers, of this process or of others, share the accounts between them.
    """

    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._connect = connect
        self._woken = threading.Event()
        self._stopped = threading.Event()
        self._fault: str | None = None
        # Of no weight: killed at any moment, it has folded a batch or it has not.
        self._thread = threading.Thread(target=self._run, name="follower", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """Something was appended."""
        self._woken.set()

    def stop(self) -> None:
        """Finish the fold in hand, and end."""
        self._stopped.set()
        self._woken.set()
        self._thread.join()

    @property
    def fault(self) -> str | None:
        """Why it does not fold at present; null while it does."""
        if not self._thread.is_alive():
            return "its thread has ended"
        return self._fault

    def _run(self) -> None:
        wait = LOOK
        while not self._stopped.is_set():
            try:
                with self._connect() as connection:
                    self._follow(connection)
            except Exception as error:  # noqa: BLE001, RUF100 - it goes on, whatever it was
                self._fault = str(error).strip().partition("\n")[0] or type(error).__name__
                log.warning("the projector could not fold: %s", self._fault)
                self._stopped.wait(wait)
                wait = min(2 * wait, LONGEST_WAIT)
            else:
                wait = LOOK

    def _follow(self, connection: Connection) -> None:
        connection.autocommit = True
        while not self._stopped.is_set():
            self._woken.clear()
            for account_id in lagging(connection):
                with connection.transaction():
                    fold(connection, account_id)
                if self._stopped.is_set():
                    return
            self._fault = None
            self._stopped.wait(REST)
            self._woken.wait(LOOK)
