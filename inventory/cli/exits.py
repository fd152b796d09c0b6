"""What a command's exit code says; the README's table has the same."""

from __future__ import annotations

FAILED = 1
USAGE = 2
DIFFERENCES = 3
REFUSED = 4
DENIED = 5
TRY_AGAIN = 75
INTERRUPTED = 130
