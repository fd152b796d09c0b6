"""
Pages: from one row of a read to the next, by a key that no two rows share.

A page begins after a row, not after a number of rows: what is inserted before it moves nothing. A
row that was there all along is on exactly one page.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, false, or_, tuple_


class Key(NamedTuple):
    """A column of a read's order; all of them together tell rows apart."""

    name: str
    descending: bool = False
    nullable: bool = False
    """Whether it may be null; rows where it is come last."""


def ordered(query: Select[Any], key: Sequence[Key]) -> Select[Any]:
    """*query* in the order of *key*, whatever order it had."""
    query = query.order_by(None)
    for each in key:
        column = query.selected_columns[each.name]
        order = column.desc() if each.descending else column.asc()
        query = query.order_by(order.nulls_last() if each.nullable else order)
    return query


def after(query: Select[Any], key: Sequence[Key], row: Sequence[Any]) -> Select[Any]:
    """The rows of *query* that come after the one with these values of *key*."""
    columns = [query.selected_columns[each.name] for each in key]
    if len({each[1:] for each in key}) == 1 and not key[0].nullable:
        # One comparison of rows is a place in an index; the conditions below are a filter.
        here, there = tuple_(*columns), tuple_(*row)
        return query.where(here < there if key[0].descending else here > there)
    later: ColumnElement[bool] = false()
    for each, column, value in reversed(list(zip(key, columns, row, strict=True))):
        later = or_(_beyond(each, column, value), and_(_same(column, value), later))
    return query.where(later)


def _beyond(key: Key, column: Any, value: Any) -> ColumnElement[bool]:
    """The condition that a row's *column* comes after *value*."""
    if value is None:
        return false()
    beyond = column < value if key.descending else column > value
    return or_(beyond, column.is_(None)) if key.nullable else beyond


def _same(column: Any, value: Any) -> ColumnElement[bool]:
    same: ColumnElement[bool] = column.is_(None) if value is None else column == value
    return same
