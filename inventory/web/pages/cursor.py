"""Where a page of a list begins, as text that fits an address."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from inventory.web.problem import Problem


def write(row: Sequence[Any]) -> str:
    """
    The values of a row's key, for `read`.

    >>> read(write(["1", 2, None]), [str, int, str])
    ['1', 2, None]
    """
    values = [value.isoformat() if isinstance(value, datetime) else value for value in row]
    return urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def read(text: str, types: Sequence[type]) -> list[Any]:
    """
    The values that were written, of these types or null.

    Raises:
        Problem: 422, nobody here wrote that.
    """
    try:
        values = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        return [_read(value, type_) for value, type_ in zip(values, types, strict=True)]
    except (ValueError, TypeError, OverflowError, RecursionError):
        raise Problem(422, "expected after to be what a page of this list linked to") from None


def _read(value: Any, type_: type) -> Any:
    if type_ is datetime:
        read = datetime.fromisoformat(value)
        if read.tzinfo is None:
            raise ValueError(value)
        return read
    if value is not None and type(value) is not type_:
        raise TypeError(value)
    if isinstance(value, str) and "\0" in value.encode().decode():  # a surrogate is no text either
        raise ValueError(value)
    return value
