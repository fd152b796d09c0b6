"""
Cursors: where a page ended, to go on from there.

Opaque to whoever carries one, though no secret: the values of the last row's key, and a mark of the
question, so that one question's place is not taken for another's. Nothing is to be gained from
making one up: it leads to rows that the same question leads to anyway.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Select
from sqlalchemy.dialects.postgresql import TIMESTAMP

from inventory.read_model import Key
from inventory.rows import Row, plain
from inventory.web.api.parameters import unusable

GREATEST = 2**63 - 1
"""What PostgreSQL's bigint holds."""


def cursor_after(row: Row, key: Sequence[Key], question: str) -> str:
    """The cursor to what comes after *row* when *question* is asked again."""
    place = [_mark(question), *(plain(row[each.name]) for each in key)]
    text = json.dumps(place, separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def row_before(cursor: str, key: Sequence[Key], query: Select[Any], question: str) -> list[Any]:
    """
    The values of *key* in the row that *cursor* goes on from.

    Raises:
        Problem: 422, it is no cursor, or of another question.
    """
    try:
        padding = "=" * (-len(cursor) % 4)
        mark, *values = json.loads(base64.b64decode(cursor + padding, b"-_", validate=True))
        row = [
            _value(value, each, query.selected_columns[each.name].type)
            for value, each in zip(values, key, strict=True)
        ]
    except (ValueError, TypeError, RecursionError):
        mark, row = None, []
    if mark != _mark(question):
        wrong = "expected the `next` of a page of this very question, found something else"
        raise unusable({"cursor": wrong})
    return row


def _value(value: Any, key: Key, column_type: Any) -> Any:
    """*value* of a column of that type, as the database takes it."""
    if value is None and key.nullable:
        return None
    if isinstance(column_type, TIMESTAMP):
        instant = datetime.fromisoformat(value)
        if instant.tzinfo is not UTC:
            raise ValueError(value)
        return instant
    expected = column_type.python_type
    if type(value) is not expected:
        raise TypeError(value)
    if expected is int and not 0 <= value <= GREATEST:
        raise ValueError(value)
    if expected is str and b"\x00" in value.encode():  # which half a surrogate pair cannot do
        raise ValueError(value)
    return value


def _mark(question: str) -> str:
    return sha256(question.encode()).hexdigest()[:12]
