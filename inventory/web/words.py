"""Figures and instants in words, for people."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

KINDS = {
    "created": "created",
    "reassigned_in": "reassigned in",
    "provider_changed": "provider changed",
    "attributes_changed": "attributes changed",
    "reassigned_out": "reassigned out",
    "deleted": "deleted",
}
"""What kinds of change are called, in the order in which a number meets them."""

LONGEST = 40
"""Letters of what others wrote, in a list."""

_LENGTHS = (
    (timedelta(days=365), "year"),
    (timedelta(days=30), "month"),
    (timedelta(days=1), "day"),
    (timedelta(hours=1), "hour"),
    (timedelta(minutes=1), "minute"),
    (timedelta(seconds=1), "second"),
)


def number(count: int) -> str:
    """
    A count that can be read at a glance.

    >>> number(1234567)
    '1,234,567'
    """
    return f"{count:,}"


def plural(count: int, noun: str, nouns: str | None = None) -> str:
    """
    So many of something.

    >>> plural(1, "number"), plural(1200, "number"), plural(0, "entry", "entries")
    ('1 number', '1,200 numbers', '0 entries')
    """
    return f"{number(count)} {noun if count == 1 else nouns or noun + 's'}"


def cut(text: str) -> str:
    """
    As much of what others wrote as fits a list.

    >>> cut("Five9"), cut("x" * 100) == "x" * 39 + "…"
    ('Five9', True)
    """
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def length(span: timedelta) -> str:
    """
    A length of time, in its greatest unit.

    >>> length(timedelta(hours=49)), length(timedelta(milliseconds=3))
    ('2 days', 'less than a second')
    """
    for unit, noun in _LENGTHS:
        if span >= unit:
            return plural(span // unit, noun)
    return "less than a second"


def ago(instant: datetime, now: datetime) -> str:
    """
    How far *instant* is from *now*.

    >>> now = datetime(2026, 3, 1, tzinfo=UTC)
    >>> ago(now - timedelta(days=3), now), ago(now + timedelta(hours=2), now), ago(now, now)
    ('3 days ago', 'in 2 hours', 'just now')
    """
    if instant > now:
        return f"in {length(instant - now)}"
    if now - instant < timedelta(seconds=1):
        return "just now"
    return f"{length(now - instant)} ago"


def iso(instant: datetime) -> str:
    """
    An instant as programs take it.

    >>> iso(datetime(2026, 3, 1, 12, 30, tzinfo=UTC))
    '2026-03-01T12:30:00Z'
    """
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def to_the_second(instant: datetime) -> str:
    """
    An instant as people read it.

    >>> to_the_second(datetime(2026, 3, 1, 12, 30, tzinfo=UTC))
    '2026-03-01 12:30:00Z'
    """
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def field_instant(instant: datetime | None) -> str:
    """
    An instant as a form's date field holds it; null: the field is empty.

    >>> field_instant(datetime(2026, 3, 1, 12, 30, tzinfo=UTC))
    '2026-03-01T12:30:00'
    """
    return "" if instant is None else instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
