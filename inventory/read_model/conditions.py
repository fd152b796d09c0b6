"""Conditions that many reads share."""

from __future__ import annotations

from datetime import datetime
from typing import Any


def equal(table: Any, **wanted: str | None) -> list[Any]:
    """A condition for each column that something is wanted of."""
    return [table.c[name] == value for name, value in wanted.items() if value is not None]


def within(column: Any, since: datetime | None, until: datetime | None) -> list[Any]:
    """A condition for each edge of [since, until) that is given."""
    edges = []
    if since is not None:
        edges.append(column >= since)
    if until is not None:
        edges.append(column < until)
    return edges
