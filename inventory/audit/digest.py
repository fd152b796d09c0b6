"""
The hash of a table's content: the same wherever and however the file was written.

Every value is written with its type and its length, so that no two contents are written alike.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Any, NamedTuple

from inventory.audit.layout import Row, Table


class Digest(NamedTuple):
    """What the manifest says of a table."""

    rows: int
    sha256: bytes


def digest(table: Table, rows: Iterable[Row]) -> Digest:
    """The count and the hash of *rows*, which come in the order of the table's key."""
    hashed = sha256(_row((table.name, *table.names)))
    count = 0
    for row in rows:
        hashed.update(_row(row))
        count += 1
    return Digest(count, hashed.digest())


def _row(values: Iterable[Any]) -> bytes:
    return b"".join([_value(value) for value in values]) + b"."


def _value(value: Any) -> bytes:
    if value is None:
        return b"-"
    if isinstance(value, int):
        return b"i" + value.to_bytes(8, "big", signed=True)
    letter, content = b"b", value
    if isinstance(value, str):
        letter, content = b"t", value.encode()
    return letter + len(content).to_bytes(8, "big") + bytes(content)
