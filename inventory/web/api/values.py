"""Values that can be asked with: what they look like, in JSON Schema, and what their text means."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

MOST = 1_000
"""Rows that a page may have, or that may be asked for by number."""
LONGEST = 250
"""Letters of a text that is looked for."""


class Value(NamedTuple):
    """A kind of value."""

    schema: Mapping[str, Any]
    """What its texts look like, in JSON Schema."""
    read: Callable[[str], Any]
    """What a text means. Raises ValueError, which says what was expected."""


def text(
    pattern: str = r"[^\x00]+", called: str = "a text", longest: int = LONGEST, **schema: Any
) -> Value:
    """Texts of a pattern."""

    def read(text: str) -> str:
        if len(text) > longest or re.fullmatch(pattern, text) is None:
            raise ValueError(f"expected {called}, at most {longest} letters, found {shown(text)}")
        return text

    # ECMA 262 knows no \x00, and JSON Schema anchors no pattern.
    written = pattern.replace(r"\x00", r"\u0000")
    return Value(
        {"type": "string", "pattern": f"^{written}$", "maxLength": longest, **schema}, read
    )


def one_of(values: Sequence[str]) -> Value:
    """One of *values*."""

    def read(text: str) -> str:
        if text not in values:
            raise ValueError(f"expected one of {', '.join(values)}, found {shown(text)}")
        return text

    return Value({"type": "string", "enum": list(values)}, read)


def some_of(values: Sequence[str]) -> Value:
    """Several of *values*, commas between them."""
    one = one_of(values)

    def read(text: str) -> list[str]:
        return [one.read(each) for each in text.split(",")]

    return Value({"type": "array", "items": one.schema, "minItems": 1}, read)


def _read_instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        plus = " (in an address, + is written %2B)" if re.search(r":\d\d \d\d", text) else ""
        raise ValueError(f"expected an instant in ISO 8601, found {shown(text)}{plus}") from None
    if instant.tzinfo is None:
        return instant.replace(tzinfo=UTC)
    try:
        # PostgreSQL knows no offset of sixteen hours and more.
        return instant.astimezone(UTC)
    except OverflowError:
        return instant.replace(tzinfo=UTC)  # within hours of the first or the last day there is


def _read_prefix(text: str) -> str:
    # In an address, + is a space.
    digits = re.fullmatch(r"[+ ]?([0-9]{1,15})", text)
    if digits is None:
        raise ValueError(f"expected digits that E.164 numbers begin with, found {shown(text)}")
    return f"+{digits[1]}"


def _read_limit(text: str) -> int:
    if re.fullmatch(r"[0-9]{1,4}", text) is None or not 1 <= int(text) <= MOST:
        raise ValueError(f"expected a number from 1 to {MOST}, found {shown(text)}")
    return int(text)


def _read_truth(text: str) -> bool:
    return bool(one_of(("true", "false")).read(text) == "true")


def shown(text: str) -> str:
    """*text* in a sentence."""
    return repr(text if len(text) <= 40 else f"{text[:40]}…")


INSTANT = Value({"type": "string", "format": "date-time"}, _read_instant)
PREFIX = Value({"type": "string", "pattern": r"^\+?[0-9]{1,15}$"}, _read_prefix)
LIMIT = Value({"type": "integer", "minimum": 1, "maximum": MOST}, _read_limit)
TRUTH = Value({"type": "boolean"}, _read_truth)
