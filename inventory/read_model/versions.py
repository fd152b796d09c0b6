"""Versions of numbers as of two clocks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import FromClause, Select, case, or_, select, union_all

from inventory import schema
from inventory.read_model.conditions import equal, of_numbers
from inventory.read_model.folded import folded

_version = schema.contact_center_number_version
_momentary = schema.contact_center_number_momentary_version
_ENDS = ("valid_to", "closed_by", "closed_kind", "closed_origin")

Keys = Sequence[tuple[str, str]]


def versions_as_of(
    at: datetime | None,
    known_at: datetime | None,
    *,
    account: str | None = None,
    keys: Keys | None = None,
) -> FromClause:
    """
    The versions of the fold over just the events of both clocks, momentary ones among them.

    Null: whatever there is. Shaped like the table of versions. What was known at another time is
    folded from the log; what is known now has been folded, and is cut off where *at* says.
    """
    if known_at is None:
        tables = [_until(table, at, account, keys) for table in (_version, _momentary)]
        return union_all(*tables).cte("version")
    then = folded("version_as_of", at, known_at, _version.c).subquery("then")
    return (
        select(then).where(*equal(then, account_id=account), *of_numbers(then, keys)).cte("version")
    )


def lasting(version: FromClause) -> Any:
    """The condition on a version that it was true at some time."""
    return or_(version.c.valid_to.is_(None), version.c.valid_to > version.c.valid_from)


def _until(table: Any, at: datetime | None, account: str | None, keys: Keys | None) -> Select[Any]:
    """The versions in *table* that had begun *at* a time, without the ends that were to come."""
    wanted = [*equal(table, account_id=account), *of_numbers(table, keys)]
    if at is None:
        return select(table).where(*wanted)
    ended = table.c.valid_to <= at
    columns = [
        case((ended, each)).label(each.name) if each.name in _ENDS else each for each in table.c
    ]
    return select(*columns).where(table.c.valid_from <= at, *wanted)
