"""
Cutting a stream of bytes into notifications, each exactly as it arrived.

Four forms are told apart by their content: one JSON object, an array of them, one object a line
(NDJSON), and objects one after the other over several lines. Only white space, an array's brackets
and commas, and a byte order mark at the very start are framing; every other byte ends up in some
item. Nothing is judged here: what is damaged is cut out as well as can be and handed on, for the
reader to reject, and what comes after it is found again.

Pure: fed with blocks, however they are cut.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from hashlib import sha256

LIMIT = 1024 * 1024
"""Bytes of the longest item that is handed on whole. RingCentral's are below 1 KiB."""
KEPT = 64 * 1024
"""Bytes that are handed on of a longer one."""

_DECODER = json.JSONDecoder()
_WHITE = b" \t\r\n"
_BOM = b"\xef\xbb\xbf"

# What a lexer needs to find where a value ends: strings are passed over whole, so that brackets
# in them do not count. None goes over a line's end, so a lost quote spoils one line only. A quote
# alone opens a string that does not end within what is here.
_TOKEN = re.compile(rb'"(?:[^"\\\n]|\\[^\n])*+["\n]|["\[\]{}]')
_STRING = re.compile(rb'"(?:[^"\\\n]|\\[^\n])*+"')
_BETWEEN = re.compile(rb"[\s,]*")
_SCALAR_IN_ARRAY = re.compile(rb"[^\s,\]]+")
_REST_OF_LINE = re.compile(rb"[^\n]+")
_NEWLINE = re.compile(rb"\n")
# Where an object seems to begin: what comes after damage is looked for there.
_FRESH_START = re.compile(rb"(?:\n|(?<=\})\s*,)\s*(?=\{)")


class Truncated(bytes):
    """The beginning of an item that was longer than the limit."""

    length: int
    """Bytes of the whole item."""
    sha256: str
    """Of the whole item, in hexadecimal."""


def frames(blocks: Iterable[bytes], *, limit: int = LIMIT) -> Iterator[list[bytes]]:
    """
    The items in *blocks*, in lists: one a block, or so.

    An item longer than *limit* bytes is handed on as `Truncated`. Memory is bounded by the size of
    a block and the limit, whatever arrives.
    """
    cutter = _Cutter(limit)
    for block in blocks:
        yield from _some(cutter.feed(block, final=False))
    yield from _some(cutter.feed(b"", final=True))


def _some(items: list[bytes]) -> Iterator[list[bytes]]:
    if items:
        yield items


class _Long:
    """An item beyond the limit: its beginning is kept, the rest is counted and hashed."""

    def __init__(self, ends: re.Pattern[bytes]) -> None:
        self._ends = ends
        self._kept = b""
        self._length = 0
        self._sha256 = sha256()

    def feed(self, block: bytes) -> bytes | None:
        """What comes after the item; null if it goes on."""
        end = self._ends.search(block)
        part = block if end is None else block[: end.start()]
        self._length += len(part)
        self._sha256.update(part)
        self._kept += part[: KEPT - len(self._kept)]
        return None if end is None else block[end.start() :]

    def item(self) -> Truncated:
        item = Truncated(self._kept)
        item.length = self._length
        item.sha256 = self._sha256.hexdigest()
        return item


class _Cutter:
    """What has arrived and is not cut yet, and how it is to be cut."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._rest = b""
        self._form: str | None = None
        self._long: _Long | None = None
        # Within the value at the start of what is left: how far the lexer got, and how deep. A
        # value that arrives in many blocks is not read again from its start with each of them.
        self._lexed = 0
        self._depth = 0

    def feed(self, block: bytes, *, final: bool) -> list[bytes]:
        items: list[bytes] = []
        if self._long is not None:
            after = self._long.feed(block)
            if after is None and not final:
                return items
            items.append(self._long.item())
            self._long, block = None, after or b""
        self._rest += block
        if self._form is None:
            self._form = self._told(final=final)
        if self._form == "lines":
            self._cut_lines(items, final=final)
        elif self._form == "values":
            self._cut_values(items, final=final)
        return items

    def _told(self, *, final: bool) -> str | None:
        """Which form this is; null: more must arrive to tell."""
        if len(self._rest) < len(_BOM) and not final:
            return None
        self._rest = self._rest.removeprefix(_BOM).lstrip(_WHITE)
        if self._rest.startswith(b"["):
            return "values"
        if self._rest and not self._rest.startswith(b"{"):
            return "lines"
        first, newline, after = self._rest.partition(b"\n")
        if not newline and not final and len(first) <= self._limit:
            return None
        try:
            json.loads(first)
        except (ValueError, RecursionError):
            # The first line of an object that takes several, or a damaged line among whole ones.
            after = after.lstrip(_WHITE)
            if not after and not final and len(first) <= self._limit:
                return None
            return "values" if newline and after[:1] not in (b"{", b"") else "lines"
        return "lines"

    def _cut_lines(self, items: list[bytes], *, final: bool) -> None:
        """Whole lines become items. Bulk comes through here: no loop but C's."""
        end = len(self._rest) if final else self._rest.rfind(b"\n") + 1
        if end:
            lines = [line.strip(_WHITE) for line in self._rest[:end].split(b"\n")]
            self._rest = self._rest[end:]
            if max(map(len, lines)) > self._limit:
                lines = [self._bounded(line) for line in lines]
            items.extend(filter(None, lines))
        if len(self._rest) > self._limit:
            self._give_up(_NEWLINE)

    def _cut_values(self, items: list[bytes], *, final: bool) -> None:
        """Values become items, each cut off where its brackets say that it ends."""
        rest, start = self._rest, 0
        # One character a byte, so that offsets agree; what the characters are does not matter.
        text = rest.decode("latin-1")
        while True:
            if self._lexed == 0:
                between = _BETWEEN.match(rest, start)
                start = between.end() if between else start
            if start >= len(rest):
                break
            first = rest[start : start + 1]
            if first == b"{":
                end = self._end_of_whole(text, start) or self._end_of_object(
                    rest, start, final=final
                )
            elif first in (b"[", b"]"):
                start += 1
                continue
            else:
                end = self._end_of_scalar(rest, start, final=final)
            if end is None:
                break
            items.append(self._bounded(rest[start:end].rstrip(_WHITE)))
            start, self._lexed, self._depth = end, 0, 0
        self._rest = rest[start:]
        if len(self._rest) > self._limit and not final:
            self._give_up(_FRESH_START)

    def _end_of_whole(self, text: str, start: int) -> int | None:
        """Where the object at *start* ends if it is sound: a third of the lexer's time."""
        if self._lexed:
            return None
        try:
            return _DECODER.raw_decode(text, start)[1]
        except (ValueError, RecursionError):
            return None

    def _end_of_object(self, rest: bytes, start: int, *, final: bool) -> int | None:
        """Where the object at *start* ends; null: more must arrive to tell."""
        depth, at = self._depth, start + self._lexed
        for token in _TOKEN.finditer(rest, at):
            mark = token[0]
            if mark in (b"{", b"["):
                depth += 1
            elif mark in (b"}", b"]"):
                depth -= 1
                if depth == 0:
                    return self._mended(rest, start, token.end())
            elif mark == b'"':
                at = token.start()
                break
            at = token.end()
        self._lexed, self._depth = at - start, depth
        if final or len(rest) - start > self._limit:
            # It never ends: damaged, or cut off. The next one may be whole.
            fresh = _FRESH_START.search(rest, start + 1)
            if fresh is not None:
                return fresh.start()
            return len(rest) if final else None
        return None

    def _mended(self, rest: bytes, start: int, end: int) -> int:
        """*end*, or an earlier one where damage made one of several objects."""
        fresh = _FRESH_START.search(rest, start + 1, end)
        if fresh is None:
            return end
        try:
            json.loads(rest[start:end])
        except (ValueError, RecursionError):
            return fresh.start()
        return end

    def _end_of_scalar(self, rest: bytes, start: int, *, final: bool) -> int | None:
        """Where something at *start* that is neither object nor array ends."""
        string = _STRING.match(rest, start)
        if string is not None:
            return string.end()
        pattern = _REST_OF_LINE if rest[start : start + 1] == b'"' else _SCALAR_IN_ARRAY
        found = pattern.match(rest, start)
        end = found.end() if found else start + 1
        return end if end < len(rest) or final else None

    def _give_up(self, ends: re.Pattern[bytes]) -> None:
        """What is left is longer than the limit: count it off until it *ends*."""
        self._long = _Long(ends)
        self._long.feed(self._rest)
        self._rest, self._lexed, self._depth = b"", 0, 0

    def _bounded(self, item: bytes) -> bytes:
        if len(item) <= self._limit:
            return item
        long = _Long(re.compile(rb"(?!)"))
        long.feed(item)
        return long.item()
