"""
Rows as text for programs: JSON, whose keys are the SQL columns, and CSV.

>>> json_of({"a": 1, "b": None}, ("a", "b"))
'{"a":1,"b":null}'
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from math import isfinite
from typing import Any, TypeAlias

import msgspec
from sqlalchemy import RowMapping

Row: TypeAlias = Mapping[str, Any] | RowMapping
_encode = msgspec.json.Encoder().encode


def json_of(row: Row, names: Sequence[str]) -> str:
    """*row* as one line of JSON, its keys the SQL columns."""
    object_ = {
        name: value if (value := row[name]) is None or type(value) is str else plain(value)
        for name in names
    }
    try:
        return _encode(object_).decode()
    except (OverflowError, UnicodeEncodeError):
        # What a payload may hold that no machine's word does, or half of a character.
        return json.dumps(object_, separators=(",", ":"))


def csv_of(lines: Iterable[Iterable[Any]]) -> str:
    """*lines* of values as RFC 4180 has them; nothing for null."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerows([cell(value) for value in line] for line in lines)
    return text.getvalue()


def plain(value: Any) -> Any:
    """*value* as JSON can hold it: instants in ISO 8601, bytes in hexadecimal."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    if isinstance(value, Decimal) and value.is_finite():
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, Decimal | float) and not isfinite(value):
        return str(value)  # JSON has no word for it
    if isinstance(value, Mapping):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def cell(value: Any) -> Any:
    """*value* where there is no room for structure: what has some, as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool | Mapping | list | tuple):
        return json.dumps(plain(value), ensure_ascii=False)
    return "" if value is None else plain(value)
