"""A clock that can be moved under the processes that look at it: libfaketime, where there is one."""

from __future__ import annotations

import sys
from pathlib import Path

PLACES = ("/usr/lib", "/usr/local/lib")
LIBRARY = "faketime/libfaketimeMT.so.1"
SHARED_MEMORY = Path("/dev/shm")

# libfaketime up to 0.9.10 takes an instant of the monotonic clock for one of its own, and Python's
# sleep fails with EINVAL (wolfcw/libfaketime#426). Waiting for what never comes is as good.
SLEEP = """
import threading, time
time.sleep = lambda seconds: threading.Event().wait(seconds) and None
"""


class Clock:
    """
    The time of day of those processes that are started with its `environment`.

    Intervals stay what they are: it is the calendar that jumps, as when somebody sets it.

    Args:
        directory: Where to keep how far it is ahead; everybody must be able to read it.
    """

    def __init__(self, directory: Path) -> None:
        directory.mkdir(mode=0o755)
        (directory / "sitecustomize.py").write_text(SLEEP, encoding="utf-8")
        self._directory = directory
        self._file = directory / "ahead"
        self._library = next(
            (
                found
                for place in PLACES
                for pattern in (LIBRARY, f"*/{LIBRARY}")
                for found in Path(place).glob(pattern)
            ),
            None,
        )
        self.set(0)

    @property
    def obstacle(self) -> str | None:
        """Why it cannot be moved; null: it can."""
        if not sys.platform.startswith("linux") or self._library is None:
            return "libfaketime is not installed"
        return None

    @property
    def environment(self) -> dict[str, str]:
        """Variables for a process of Python's and all that it starts."""
        if self._library is None:
            return {}
        return {
            "LD_PRELOAD": str(self._library),
            "PYTHONPATH": str(self._directory),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }

    def set(self, ahead: int) -> None:
        """So many seconds *ahead* of the true time from now on; behind, if negative."""
        new = self._file.with_suffix(".new")
        new.write_text(f"{ahead:+d}\n", encoding="ascii")
        new.chmod(0o644)
        new.rename(self._file)


def sweep(since: float) -> None:
    """Remove what libfaketime leaves in memory of processes that were killed, *since* then."""
    for pattern in ("faketime_shm_*", "sem.faketime_sem_*"):
        for left in SHARED_MEMORY.glob(pattern):
            pid = left.name.rpartition("_")[2]
            if left.stat().st_mtime >= since and not Path(f"/proc/{pid}").exists():
                left.unlink(missing_ok=True)
