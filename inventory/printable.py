"""Text of others, fit to be shown: what would hide, reorder or break the text around it is not."""

from __future__ import annotations

import re

# Control characters, which XML cannot hold; marks that change the direction of what follows them;
# and code points that are no characters.
_UNFIT = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
    "\ufffe\uffff\ud800-\udfff]"
)


def printable(text: str) -> str:
    """
    *text*, with a replacement character for each one that is unfit.

    >>> printable("Zürich " + chr(0x202E) + "evil" + chr(0))
    'Zürich �evil�'
    """
    return _UNFIT.sub("\ufffd", text)


def isolated(text: str) -> str:
    """*text* printable, and of a direction of its own, whatever stands around it."""
    return f"\u2068{printable(text)}\u2069"
