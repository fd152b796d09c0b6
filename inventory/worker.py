"""Work that goes on beside the serving, in a thread of its own, for as long as the process does."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from inventory.redaction import redact

FIRST_WAIT = 1.0
LONGEST_WAIT = 60.0
"""Seconds between attempts after a failure, doubled from the first to the longest."""
STOP_WITHIN = 10.0
"""Seconds that a turn in hand has to end."""

log = logging.getLogger(__name__)


class Worker:
    """
    Takes a turn when woken, and every so often in any case.

    A turn that fails is taken again after a while. Whatever a turn leaves undone when the process
    dies, the next process must be able to take up.

    Args:
        name: What it does, for logs and `/readyz`.
        turn: Does the work; asks what it is given, between two pieces of it, whether to stop.
        every: Seconds between turns, unless woken.
        rest: Seconds between turns at least, however often it is woken.
        within: Seconds after which a turn that has not ended counts as stopped; null: it takes as
            long as it takes.
    """

    def __init__(
        self,
        name: str,
        turn: Callable[[Callable[[], bool]], None],
        *,
        every: float,
        rest: float = 0.0,
        within: float | None = None,
    ) -> None:
        self.name = name
        self._turn = turn
        self._every = every
        self._rest = rest
        self._within = within
        self._began: float | None = None
        self._woken = threading.Event()
        self._stopped = threading.Event()
        self._fault: str | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Take the first turn."""
        self._thread.start()

    def wake(self) -> None:
        """There is something to do."""
        self._woken.set()

    def stop(self) -> None:
        """Let the turn in hand end, if it does so in time."""
        self._stopped.set()
        self._woken.set()
        self._thread.join(STOP_WITHIN)

    @property
    def fault(self) -> str | None:
        """Why its latest turn failed, or why there are none any more; null if neither."""
        if not self._thread.is_alive():
            return "its thread has ended"
        began = self._began
        if self._within is not None and began is not None:
            taken = time.monotonic() - began
            if taken > self._within:
                return f"its turn has not ended for {taken:.0f} s"
        return self._fault

    def _run(self) -> None:
        wait = FIRST_WAIT
        while not self._stopped.is_set():
            self._woken.clear()
            self._began = time.monotonic()
            try:
                self._turn(self._stopped.is_set)
            except Exception as error:  # noqa: BLE001, RUF100 - it goes on, whatever it was
                fault = str(error).strip().partition("\n")[0]
                self._fault = redact(fault) or type(error).__name__
                self._began = None
                log.warning("%s: %s", self.name, self._fault)
                self._stopped.wait(wait)
                wait = min(2 * wait, LONGEST_WAIT)
            else:
                self._fault = None
                self._began = None
                wait = FIRST_WAIT
                self._stopped.wait(self._rest)
                self._woken.wait(self._every)
