"""A difference: one thing that is not as the rest of the evidence says it must be."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple


class Difference(NamedTuple):
    """One thing that differs, named down to its event where that can be told."""

    account_id: str | None
    position: int | None
    """The event it concerns; of a seal its last event; null where it concerns none."""
    phone_number_id: str | None
    what: str
    """The table, or the table's column, that differs: `event.status`, `seal.hash`, …"""
    expected: str | None
    """What follows from the rest; null: nothing should be there."""
    found: str | None
    """What is there; null: nothing, or null."""


def shown(value: Any) -> str | None:
    """*value* as text: instants in ISO 8601, bytes in hexadecimal."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, bytes):
        return value.hex()
    return str(value)


def span(first: int, last: int) -> str:
    """
    Positions in words.

    >>> span(5, 5), span(5, 7)
    ('5', '5…7')
    """
    return str(first) if first == last else f"{first}…{last}"
