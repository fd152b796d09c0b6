"""
A stream of bytes cut into notifications, each exactly as it arrived.

The law:

1. Only whitespace around an item, the brackets and commas of arrays, commas between top-level
   objects, line ends and a leading byte order mark are framing. Every other byte that arrives is
   in some item, or counted in a `Truncated`.
2. Items do not depend on where the blocks were cut.
3. Time is linear in the input, memory is bounded by one block and one limit.
4. An item need not be JSON. A damaged one comes out as it is, for the parser to quarantine, and
   those after it come out whole.

Pure: fed with blocks, no I/O. One state at a time looks at the present block; a state that needs
more than the block holds leaves where it is in attributes, and is resumed with the next one.
Only brackets, strings and commas are judged: what stands for `true` or `1.5` is any bare word.

Where damage ends is a guess, made only after the grammar is broken: at the next object that is
the first on its line, in an array also at one that follows `}` or `},`; inside a notification
neither happens but in lists of objects. An undamaged item is never cut, with two
exceptions: one longer than the limit, and one that follows NDJSON and is broken into lines after
a `}` (`_lines` says why).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias, cast

from inventory.ingest.part import ITEM_LIMIT, KEPT, Part, Truncated

__all__ = ["ITEM_LIMIT", "KEPT", "Truncated", "frames"]

_MARK = b"\xef\xbb\xbf"
_SPACE = b" \t\r\n"
_BETWEEN = b" \t\r\n,"

_NEWLINE, _QUOTE, _COMMA, _COLON, _BACKSLASH = b'\n",:\\'
_OPEN_OBJECT, _CLOSE_OBJECT, _OPEN_ARRAY, _CLOSE_ARRAY = b"{}[]"
_OPENS = {_CLOSE_OBJECT: _OPEN_OBJECT, _CLOSE_ARRAY: _OPEN_ARRAY}

# Possessive repeats are on single characters only: those of groups are wrong before Python 3.11.5.
_S = rb"[ \t\r\n]*+"
_WORD = rb'[^ \t\r\n,:\[\]{}"]'
_INSIDE = rb'[^"\\\n]*+(?:\\[^\n][^"\\\n]*+)*'
_STRING = rb'"' + _INSIDE + rb'"'
_SCALAR = rb"(?:" + _STRING + rb"|" + _WORD + rb"++)"
_NAME = _S + _STRING + _S + rb":"

_Always: TypeAlias = Callable[[bytes, int], re.Match[bytes]]
_skip_space = cast("_Always", re.compile(_S).match)
_skip_blanks = cast("_Always", re.compile(rb"[ \t\r]*+").match)
_skip_between = cast("_Always", re.compile(rb"[ \t\r\n,]*+").match)
_rest_of_string = cast("_Always", re.compile(_INSIDE).match)
_rest_of_word = cast("_Always", re.compile(_WORD + rb"*+").match)
# The plain members of an object, as far as they are whole, then perhaps the next nested object's
# opening or this object's end. It says nothing that single tokens would not; it only says it in C.
_leap = cast(
    "_Always",
    re.compile(
        rb"(?:" + _NAME + _S + _SCALAR + _S + rb",)*"
        rb"(?:" + _NAME + rb"(?:[ \t\r]*+(\{)|" + _S + _SCALAR + _S + rb"(\})))?"
    ).match,
)
_mend_in_array = re.compile(rb"[}\n]").search
_mend_at_top = re.compile(rb"\n").search
# A string that lost a quote swallows the boundary up to the next object's first quote.
_swallowed_boundary = re.compile(rb'\}[ \t\r]*+(?:,[ \t\r]*+)?(\{)[ \t\r]*+"[ \t\r\n]*+\Z').search

_glued = re.compile(rb"\}[ \t\r]*+\{").search

_decode = json.JSONDecoder().raw_decode

# What the grammar wants next inside a value.
_WANT_NAME, _WANT_COLON, _WANT_VALUE, _WANT_AFTER = range(4)
# How much of what stands before an object after damage has been seen: a closing bracket or a
# line's beginning, and then a comma.
_NO_MEND, _MEND, _MEND_COMMA = range(3)


def frames(blocks: Iterable[bytes], *, limit: int = ITEM_LIMIT) -> Iterator[list[bytes]]:
    """
    The items in *blocks*, in order: one non-empty list for every block that completes any.

    Taken are one JSON object, an array, NDJSON and objects one after another, pretty-printed or
    not, also one form after another; which it is, the content says. Blocks may be cut anywhere.
    Elements of an array are items whatever they are. An item longer than *limit* bytes is a
    `Truncated`. Bytes cut off by the end of the input are the last item.
    """
    framer = _Framer(limit)
    for block in blocks:
        if items := framer.feed(block):
            yield items
    if items := framer.end():
        yield items


class _Framer:
    """
    The states, each a method that looks at the block from `_at` on.

    A state returns True when it has moved on, False when it needs the next block. While an item is
    under way, `_start` is where its bytes begin in the block (else -1), and `_part` has those that
    came in earlier blocks.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._items: list[bytes] = []
        self._block = b""
        self._at = 0
        self._start = -1
        self._part: Part | None = None
        self._state: Callable[[], bool] = self._mark
        self._in_array = False
        self._comma = False  # after the array's last element
        self._new_line = False  # after the array's end
        # Shortcuts are off for the rest of a block once they have failed in it: a failure may cost
        # as much as the whole block.
        self._bulk = self._decode = True
        self._text: str | None = None  # the block, a character a byte
        self._mend = _NO_MEND
        # Where `_value` is. Offsets count from the item's first byte, for they outlive the block.
        self._stack = bytearray()
        self._want = _WANT_VALUE
        self._rest: _Always | None = None  # of the string or word under way
        self._last = 0  # the last token: a bracket, colon or quote; 0 for others, commas not seen
        self._gap = False  # a line ended since the last token, in an earlier block
        self._string = 0  # offset of the last string
        self._lined = (-1, -1)  # offset and depth of the last open object that is first on its line
        self._closed = -1  # its offset, if it was the last to close

    def feed(self, block: bytes) -> list[bytes]:
        """The items that *block* completes."""
        self._place(self._block + block if self._block else block)
        self._bulk = self._decode = True
        return self._run()

    def _run(self) -> list[bytes]:
        while self._state():
            pass
        if self._start >= 0:
            if self._part is None:
                self._part = Part(self._limit, self._framing())
            self._part.add(self._block[self._start : self._at])
            self._start = 0
        self._place(self._block[self._at :])  # half an escape or half a mark, else nothing
        items, self._items = self._items, []
        return items

    def end(self) -> list[bytes]:
        """The items that the end of the input completes."""
        items = self.feed(b"\n")
        while (cut := self._line_swallowed()) > 0:
            self._cut(cut)
            items += self._run()
        if self._start >= 0:
            self._emit(self._at, _SPACE)
        return items + self._items

    def _place(self, block: bytes) -> None:
        self._block, self._at, self._text = block, 0, None

    # Items.

    def _framing(self) -> bytes:
        return _BETWEEN if self._in_array else _SPACE

    def _offset(self, at: int) -> int:
        """Bytes of the item under way before *at*."""
        return at - self._start + (self._part.length if self._part else 0)

    def _multiline(self, at: int) -> bool:
        """Whether a line ended inside the item under way, before *at*."""
        earlier = self._part is not None and self._part.multiline
        return earlier or self._block.find(b"\n", self._start, at) >= 0

    def _whole(self, end: int) -> bytes:
        """The item under way up to *end*. Assumes that it is within the limit."""
        return (self._part.whole() if self._part else b"") + self._block[self._start : end]

    def _emit(self, end: int, framing: bytes) -> None:
        """Complete the item under way at *end*, less the *framing* it ends with."""
        text = self._block[self._start : end]
        if self._part is None:
            item = text.rstrip(framing)
            if len(item) > self._limit:
                item = Truncated(item[:KEPT], len(item), hashlib.sha256(item).hexdigest())
        else:
            self._part.add(text)
            item = self._part.item(framing)
            self._part = None
        self._items.append(item)
        self._start = -1

    def _emit_damaged(self, end: int) -> bool:
        """Complete the item under way at *end*, where another begins."""
        self._at = end
        self._emit(end, self._framing())
        self._state = self._element if self._in_array else self._top
        return True

    def _cut(self, offset: int) -> bool:
        """Complete the item under way at *offset*, and look at what follows afresh."""
        self._join()
        return self._emit_damaged(self._start + offset)

    def _join(self) -> None:
        """
        Make the item under way one with the block. Assumes that it is within the limit.

        Needed at most once a block, or moving the block would not be linear.
        """
        if self._part is not None:
            self._place(self._whole(len(self._block)))
            self._part = None
            self._start = 0

    # States between items.

    def _mark(self) -> bool:
        """The very start: a byte order mark, or none."""
        if len(self._block) < len(_MARK) and _MARK.startswith(self._block):
            return False
        if self._block.startswith(_MARK):
            self._at = len(_MARK)
        self._state = self._top
        return True

    def _top(self) -> bool:
        """Anywhere outside arrays: an array, an object, or a line of something else."""
        self._at = at = _skip_space(self._block, self._at).end()
        if at == len(self._block):
            return False
        if self._block[at] == _OPEN_ARRAY:
            self._in_array = self._comma = True
            self._at += 1
            self._state = self._element
        elif self._block[at] == _OPEN_OBJECT:
            self._begin_value(at)
        else:
            self._start = at
            self._state = self._line
        return True

    def _line(self) -> bool:
        """Inside an item that ends with its line."""
        end = self._block.find(b"\n", self._at)
        if end < 0:
            self._at = len(self._block)
            return False
        self._emit(end, _SPACE)
        self._at = end + 1
        self._state = self._lines
        return True

    def _lines(self) -> bool:
        """
        At the beginning of a line after one that was an item: NDJSON, most likely.

        A line that begins and ends like an object is one, nobody looks inside: this is what makes
        NDJSON fast. Any other is left to `_top`.
        """
        if self._bulk:
            self._bulk = self._take_lines()
        block = self._block
        self._at = at = _skip_space(block, self._at).end()
        if at == len(block):
            return False
        if block[at] == _OPEN_OBJECT:
            self._start = at
            self._state = self._object_line
        else:
            self._state = self._top
        return True

    def _take_lines(self) -> bool:
        """Take all whole lines left in the block as items; False if any needs a closer look."""
        block, at = self._block, self._at
        # Split from the block's beginning, though part of it is done: a copy would cost more.
        lines = block.split(b"\n")
        rest = lines.pop()
        if len(block) > self._limit and max(map(len, lines), default=0) > self._limit:
            return False
        del lines[: block.count(b"\n", 0, at)]
        items = [item for line in lines if (item := line.strip(_SPACE))]
        for item in items:
            first = item[0]
            if first == _OPEN_ARRAY or (first == _OPEN_OBJECT and item[-1] != _CLOSE_OBJECT):
                return False
        if _glued(block, at, len(block) - len(rest)):
            return False
        if lines:
            self._items += items
            self._at = len(block) - len(rest)
        return True

    def _object_line(self) -> bool:
        """Inside a line that begins like an object, after one that was an item."""
        end = self._block.find(b"\n", self._at)
        if end < 0:
            self._at = len(self._block)
            return False
        if self._offset(end) <= self._limit:
            line = self._whole(end).rstrip(_SPACE)
            if line[-1] != _CLOSE_OBJECT or _glued(line):
                self._join()
                self._at, self._start = self._start, -1
                self._state = self._top
                return True
        self._emit(end, _SPACE)
        self._at = end + 1
        self._state = self._lines
        return True

    def _after_one_line(self) -> bool:
        """After a top-level object that began and ended in one line: is that all of the line?"""
        self._at = at = _skip_blanks(self._block, self._at).end()
        if at == len(self._block):
            return False
        follows = self._block[at]
        if follows in (_OPEN_OBJECT, _OPEN_ARRAY):
            self._emit(at, _SPACE)
            self._state = self._top
        else:
            self._state = self._line
        return True

    def _after_many_lines(self) -> bool:
        """After a top-level object of several lines."""
        self._at = _skip_between(self._block, self._at).end()
        if self._at == len(self._block):
            return False
        self._state = self._top
        return True

    def _element(self) -> bool:
        """Between the elements of an array."""
        before = self._at
        self._at = at = _skip_between(self._block, before).end()
        self._comma = self._comma or self._block.find(b",", before, at) >= 0
        if at == len(self._block):
            return False
        byte = self._block[at]
        if byte == _CLOSE_ARRAY:
            self._at += 1
            self._new_line = False
            self._state = self._after_array
        elif byte in (_OPEN_OBJECT, _OPEN_ARRAY) or (self._comma and byte not in b"}:"):
            self._begin_value(at)
        else:  # the rest of an element that seemed to end earlier
            self._start = at
            self._lose(at)
        return True

    def _after_array(self) -> bool:
        """After a bracket that closed the array, or a stray one inside a damaged element."""
        before = self._at
        self._at = at = _skip_space(self._block, before).end()
        self._new_line = self._new_line or self._block.find(b"\n", before, at) >= 0
        if at == len(self._block):
            return False
        follows = self._block[at]
        self._in_array = follows not in (_OPEN_OBJECT, _OPEN_ARRAY) and (
            not self._new_line or follows in b"}],:"
        )
        self._comma = False
        self._state = self._element if self._in_array else self._top
        return True

    # States inside a value, sound or damaged.

    def _begin_value(self, at: int) -> None:
        self._start = self._at = at
        if self._decode:
            # A sound value within the limit ends where the lexer below would find its end, and this
            # is twice as fast. Its content is not looked at.
            if self._text is None:
                self._text = self._block.decode("latin-1")
            try:
                end = _decode(self._text, at)[1]
            except (ValueError, RecursionError):
                self._decode = False
            else:
                if self._block[at] in b"{[" and end - at <= self._limit:
                    self._complete(end)
                    return
        self._stack.clear()
        self._want = _WANT_VALUE
        self._rest = None
        self._last = 0
        self._gap = False
        self._lined = (-1, -1)
        self._closed = -1
        self._state = self._value

    def _value(self) -> bool:  # noqa: PLR0915 - one loop: a call a token would halve its speed
        """Inside an array's element or a top-level object, none of it wrong so far."""
        block, at, stack, want = self._block, self._at, self._stack, self._want
        end = len(block)
        while True:
            if self._rest is not None:
                at = self._rest(block, at).end()
                in_string = self._rest is _rest_of_string
                if at == end or (in_string and block[at] == _BACKSLASH and at + 1 == end):
                    break
                self._rest = None
                if in_string:
                    if block[at] != _QUOTE:  # no string reaches into the next line
                        self._last = 0
                        return self._damaged(at, want)
                    at += 1
                if want == _WANT_NAME:
                    want = _WANT_COLON
                else:
                    want = _WANT_AFTER
                    if not stack:
                        return self._complete(at)
            elif want == _WANT_NAME and len(stack) < self._limit:
                leap = _leap(block, at)
                if leap.end() > at:
                    at = leap.end()
                    self._last = 0
                    self._gap = False
                    if leap.lastindex:  # the brace itself is for the code below
                        at -= 1
                        want = _WANT_VALUE if leap.lastindex == 1 else _WANT_AFTER

            here = _skip_space(block, at).end()
            if here == end:
                self._gap = self._gap or block.find(b"\n", at) >= 0
                at = here
                break
            byte = block[here]

            if byte in (_CLOSE_OBJECT, _CLOSE_ARRAY):
                # Also where a value or a name is missing: that is for the parser to tell.
                if not stack or stack[-1] != _OPENS[byte]:
                    return self._damaged(here, want)
                stack.pop()
                want = _WANT_AFTER
                offset, depth = self._lined
                self._closed = -1
                if depth == len(stack):
                    self._closed, self._lined = offset, (-1, -1)
                if not stack:
                    return self._complete(here + 1)
                self._last = byte
            elif byte in (_OPEN_OBJECT, _OPEN_ARRAY):
                lined = self._gap or block.find(b"\n", at, here) >= 0
                if want != _WANT_VALUE or len(stack) >= self._limit:
                    return self._damaged(here, want, lined=lined)
                if lined and byte == _OPEN_OBJECT:
                    if self._offset(here) > self._limit:
                        return self._emit_damaged(here)
                    self._lined = self._offset(here), len(stack)
                stack.append(byte)
                want = _WANT_NAME if byte == _OPEN_OBJECT else _WANT_VALUE
                self._last = byte
            elif byte == _COMMA:
                if want != _WANT_AFTER:
                    return self._damaged(here, want)
                want = _WANT_NAME if stack[-1] == _OPEN_OBJECT else _WANT_VALUE
            elif byte == _COLON:
                if want != _WANT_COLON:
                    return self._damaged(here, want)
                want = _WANT_VALUE
                self._last = byte
            elif byte == _QUOTE:
                if want not in (_WANT_NAME, _WANT_VALUE):
                    return self._damaged(here, want)
                self._string = self._offset(here)
                self._rest = _rest_of_string
                self._last = byte
            else:
                if want != _WANT_VALUE:
                    return self._damaged(here, want)
                self._rest = _rest_of_word
                self._last = 0
            at = here + 1
            self._gap = False

        self._at, self._want = at, want
        return False

    def _complete(self, end: int) -> bool:
        """A value has ended where its grammar says."""
        self._at = end
        if self._in_array:
            self._emit(end, b"")
            self._comma = False
            self._state = self._element
        elif self._multiline(end):
            self._emit(end, b"")
            self._state = self._after_many_lines
        else:
            self._state = self._after_one_line
        return True

    def _damaged(self, at: int, want: int, *, lined: bool = False) -> bool:
        """The grammar is broken at *at*: say where the item ends, or look for it."""
        if not self._in_array and not self._multiline(at):
            self._at = at
            self._state = self._line
            return True
        if self._offset(at) <= self._limit and (cut := self._swallowed(at, want)) > 0:
            return self._cut(cut)
        misplaced = want == _WANT_AFTER or (want == _WANT_NAME and self._last != _OPEN_OBJECT)
        if self._block[at] == _OPEN_OBJECT and (lined or misplaced):
            return self._emit_damaged(at)
        self._lose(at)
        return True

    def _swallowed(self, at: int, want: int) -> int:
        """The offset of an object that the damaged item took for its own; 0 if none."""
        if self._block[at] == _OPEN_OBJECT and self._last == _CLOSE_OBJECT:
            # A line cut off after a colon takes the next line's object for its value. That this
            # was wrong shows only at the line after that.
            return max(self._closed, 0) if want in (_WANT_NAME, _WANT_AFTER) else 0
        if self._in_array and self._last == _QUOTE:
            text = self._whole(at)[self._string :]
            if found := _swallowed_boundary(text):
                return self._string + found.start(1)
        return 0

    def _line_swallowed(self) -> int:
        """As `_swallowed`, where the input has ended: only if it was the item's second line."""
        if self._start < 0 or self._state != self._value or self._in_array:
            return 0
        if self._last != _CLOSE_OBJECT or self._closed <= 0:
            return 0
        if self._offset(self._at) > self._limit:
            return 0
        before = self._whole(self._at)[: self._closed].rstrip(_SPACE)
        return 0 if b"\n" in before else self._closed

    def _lose(self, at: int) -> None:
        """Go where an item is damaged and its end is not known."""
        byte = self._block[at]
        closes = self._in_array and byte in (_CLOSE_OBJECT, _CLOSE_ARRAY)
        self._mend = _MEND if closes else _NO_MEND
        self._at = at + 1 if closes or byte == _OPEN_OBJECT else at
        self._state = self._lost

    def _lost(self) -> bool:
        """Inside a damaged item, looking for an object that does not belong to it."""
        block, at = self._block, self._at
        while True:
            if self._mend != _NO_MEND:
                at = _skip_blanks(block, at).end()
                if at == len(block):
                    break
                if block[at] == _OPEN_OBJECT:
                    return self._emit_damaged(at)
                if block[at] == _COMMA and self._mend == _MEND:
                    self._mend = _MEND_COMMA
                    at += 1
                    continue
                self._mend = _NO_MEND
            found = (_mend_in_array if self._in_array else _mend_at_top)(block, at)
            if found is None:
                at = len(block)
                break
            at = found.end()
            self._mend = _MEND
        self._at = at
        return False
