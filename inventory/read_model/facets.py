"""How many numbers there are of each kind, whatever is asked of them otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, case, func, or_, select, true, tuple_

from inventory.read_model.conditions import equal

FACETS = ("provider_id", "status", "usage_type", "account_id")
MANY = 12
"""Values of a facet that are told apart."""


class Count(NamedTuple):
    """How many rows have a value in a facet."""

    value: str | None
    rows: int


class Facet(NamedTuple):
    """A column by which rows can be told apart."""

    column: str
    counts: Sequence[Count]
    """The most frequent values, so many that they can be looked through."""
    others: int
    """Values that are not among them."""


def facets(
    connection: Connection, query: Select[Any], wanted: Mapping[str, str | None]
) -> tuple[int, list[Facet]]:
    """
    Of the rows of *query* how many are *wanted*, and how many there are by value of each facet.

    Each facet counts what is *wanted* of the others and not of itself, so that it says how many
    there would be if another value of it were chosen. One pass over the rows.
    """
    number = query.order_by(None).subquery()
    columns = [number.c[name] for name in FACETS]
    met = {name: equal(number, **{name: wanted.get(name)}) for name in FACETS}
    # GROUPING has a bit for each column that a row is *not* grouped by, the first one highest.
    bits = [1 << at for at in reversed(range(len(FACETS)))]
    facet = func.grouping(*columns)
    everything = sum(bits)
    marks = [everything - bit for bit in bits]
    count = case(
        *(
            (facet == mark, _count(met, without=name))
            for name, mark in zip(FACETS, marks, strict=True)
        ),
        else_=_count(met),
    )
    value = case(*((facet == mark, column) for column, mark in zip(columns, marks, strict=True)))
    grouped = (
        select(facet.label("facet"), value.label("value"), count.label("rows"))
        .group_by(func.grouping_sets(*columns, tuple_()))
        .subquery()
    )
    ranked = (
        select(
            grouped,
            func.count().over(partition_by=grouped.c.facet).label("values"),
            func.row_number()
            .over(partition_by=grouped.c.facet, order_by=(grouped.c.rows.desc(), grouped.c.value))
            .label("rank"),
        )
        .where(or_(grouped.c.rows > 0, grouped.c.facet == everything))
        .subquery()
    )
    rows = connection.execute(select(ranked).where(ranked.c.rank <= MANY).order_by("rank")).all()
    (total,) = (row.rows for row in rows if row.facet == everything)
    found = []
    for name, mark in zip(FACETS, marks, strict=True):
        mine = [row for row in rows if row.facet == mark]
        others = mine[0].values - len(mine) if mine else 0
        found.append(Facet(name, [Count(row.value, row.rows) for row in mine], others))
    return total, found


def _count(met: Mapping[str, list[Any]], *, without: str | None = None) -> Any:
    """How many rows meet the conditions on all columns, or on all but one."""
    conditions = (condition for name in met if name != without for condition in met[name])
    return func.count().filter(true(), *conditions)
