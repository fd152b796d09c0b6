"""An item in the making, when it does not end in the block it began in; or is too long."""

from __future__ import annotations

import hashlib
from typing import Self

ITEM_LIMIT = 1 << 20
"""Bytes that an item may have before it comes out as a `Truncated`."""

KEPT = 1 << 16
"""Bytes that a `Truncated` keeps."""


class Truncated(bytes):
    """The first `KEPT` bytes of an item that was longer than the limit."""

    length: int
    """Bytes of the whole item."""
    sha256: str
    """Of the whole item, in hex."""

    def __new__(cls, kept: bytes, length: int, sha256: str) -> Self:
        """*kept* with what is known of the rest."""
        self = super().__new__(cls, kept)
        self.length, self.sha256 = length, sha256
        return self


class Part:
    """The bytes so far of an item that does not end in the block it began in."""

    def __init__(self, limit: int, framing: bytes) -> None:
        self._limit, self._framing = limit, framing
        self._head = bytearray()
        # Trailing whitespace belongs to the item only if more of the item follows, and there may
        # be gigabytes of it: hence two hashes, of all bytes and of those settled. Both are begun
        # only past the limit.
        self._hashed, self._settled = hashlib.sha256(), hashlib.sha256()
        self._settled_length = 0
        self.length = 0
        self.multiline = False

    def add(self, part: bytes) -> None:
        before, self.length = self.length, self.length + len(part)
        self.multiline = self.multiline or b"\n" in part
        if self.length > self._limit:
            if before <= self._limit:
                self._hash(bytes(self._head), 0)
            self._hash(part, before)
        room = max(self._limit, KEPT) - before
        if room > 0:
            self._head += part[:room]

    def _hash(self, part: bytes, before: int) -> None:
        solid = part.rstrip(self._framing)
        if solid:
            self._hashed.update(solid)
            self._settled = self._hashed.copy()
            self._settled_length = before + len(solid)
        self._hashed.update(part[len(solid) :])

    def item(self, framing: bytes) -> bytes:
        """The item, if it ends here, less the *framing* it ends with."""
        if self.length <= self._limit:
            return bytes(self._head).rstrip(framing)
        if self._settled_length <= self._limit:
            return bytes(self._head[: self._settled_length])
        kept = bytes(self._head[: min(KEPT, self._settled_length)])
        return Truncated(kept, self._settled_length, self._settled.hexdigest())

    def whole(self) -> bytes:
        """All bytes so far. Assumes `length` within the limit."""
        return bytes(self._head)
