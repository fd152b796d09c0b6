"""How many numbers there are of each kind, whatever is asked of them otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    FromClause,
    Select,
    case,
    cast,
    func,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by

from inventory.read_model.conditions import equal

FACETS = ("provider_id", "status", "usage_type", "account_id")
MANY = 12
"""Values of a facet that are told apart."""


class Count(NamedTuple):
    """How many rows have a value in a facet."""

    value: str | None
    rows: int
    name: str | None
    """The latest name of a provider; of other facets there is none."""


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
    there would be if another value of it were chosen. One pass over the rows, which must say since
    when each is as it is: rows are many, and kinds of them few, so they are counted by kind first.
    """
    number = query.order_by(None).subquery()
    by = [number.c[name] for name in (*FACETS, "provider_name")]
    latest = func.max(number.c.valid_from).label("latest")
    # Named, not nested: Citus then gathers the kinds, and groups them where all of them are.
    kind = select(*by, func.count().label("rows"), latest).group_by(*by).cte("kind")
    columns = [kind.c[name] for name in FACETS]
    met = {name: equal(kind, **{name: wanted.get(name)}) for name in FACETS}
    # GROUPING has a bit for each column that a row is *not* grouped by, the first one highest.
    bits = [1 << at for at in reversed(range(len(FACETS)))]
    facet = func.grouping(*columns)
    everything = sum(bits)
    marks = [everything - bit for bit in bits]
    count = case(
        *(
            (facet == mark, _count(kind, met, without=name))
            for name, mark in zip(FACETS, marks, strict=True)
        ),
        else_=_count(kind, met),
    )
    names = aggregate_order_by(kind.c.provider_name, kind.c.latest.desc(), kind.c.provider_name)
    named = func.array_agg(names).filter(kind.c.provider_name.is_not(None))[1]
    value = case(*((facet == mark, column) for column, mark in zip(columns, marks, strict=True)))
    grouped = (
        select(facet.label("facet"), value.label("value"), count.label("rows"), named.label("name"))
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
        is_provider = name == "provider_id"
        counts = [Count(row.value, row.rows, row.name if is_provider else None) for row in mine]
        found.append(Facet(name, counts, others))
    return total, found


def _count(
    kind: FromClause, met: Mapping[str, list[Any]], *, without: str | None = None
) -> ColumnElement[int]:
    """How many rows meet the conditions on all columns, or on all but one."""
    conditions = (condition for name in met if name != without for condition in met[name])
    counted = func.sum(kind.c.rows).filter(true(), *conditions)
    return cast(func.coalesce(counted, 0), BigInteger)
