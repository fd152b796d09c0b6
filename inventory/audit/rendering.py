"""A bundle's content as JSON, and its timeline as CSV."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from inventory.audit import layout
from inventory.audit.bundle import Bundle


def as_json(bundle: Bundle) -> Iterator[str]:
    """One JSON object: the manifest, and each table as an array of its rows."""
    yield f'{{\n"manifest": {_json(bundle.manifest())}'
    for table in layout.CONTENT:
        yield f',\n"{table.name}": ['
        separator = "\n"
        for row in bundle.rows(table):
            yield separator + _json(dict(zip(table.names, map(plain, row), strict=True)))
            separator = ",\n"
        yield "\n]"
    yield "\n}\n"


def plain(value: Any) -> Any:
    """*value* as JSON can hold it: bytes in hexadecimal."""
    return value.hex() if isinstance(value, bytes) else value


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
