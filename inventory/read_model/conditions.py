"""Conditions that many reads share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, func, tuple_


def equal(table: Any, **wanted: str | None) -> list[Any]:
    """A condition for each column that something is wanted of; an empty text: that it has none."""
    return [
        table.c[name] == value if value else func.coalesce(table.c[name], "") == ""
        for name, value in wanted.items()
        if value is not None
    ]


def within(column: Any, since: datetime | None, until: datetime | None) -> list[Any]:
    """A condition for each edge of [since, until) that is given."""
    edges = []
    if since is not None:
        edges.append(column >= since)
    if until is not None:
        edges.append(column < until)
    return edges


def of_numbers(table: Any, keys: Sequence[tuple[str, str]] | None) -> list[Any]:
    """The condition that a row is one of these numbers', each an account and an id; null: none."""
    if keys is None:
        return []
    return [tuple_(table.c.account_id, table.c.phone_number_id).in_(keys)]


def beginning(column: Any, prefix: str | None) -> list[Any]:
    """The condition that a text begins with *prefix*, letter by letter; null: none."""
    return [] if prefix is None else [column.startswith(prefix, autoescape=True)]


def earliest(*instants: datetime | None) -> datetime | None:
    """
    The one that comes first; null: now.

    What we did ourselves was known as it happened, so that the two clocks are one.
    """
    return min((instant for instant in instants if instant is not None), default=None)


def by_then(columns: Iterable[Any], done: ColumnElement[Any], then: datetime | None) -> list[Any]:
    """*columns*, filled in when it was *done*, as they were at another time."""
    if then is None:
        return list(columns)
    return [case((done <= then, each)).label(each.name) for each in columns]
