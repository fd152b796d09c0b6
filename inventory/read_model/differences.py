"""What changes were about: which fields."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import Connection, or_, select, tuple_, union_all

from inventory import schema
from inventory.event import Attributes


class Difference(NamedTuple):
    """A field that a change changed."""

    field: str
    before: str | None
    after: str | None


def differences(
    connection: Connection, changes: Iterable[Any]
) -> dict[tuple[str, int], list[Difference]]:
    """
    The fields that each of these changes changed, by its account and position.

    Of numbers that came or left there is nothing to compare.
    """
    wanted = {(row.account_id, row.phone_number_id): None for row in changes}
    positions = [row.position for row in changes]
    versions = []
    for table in (
        schema.contact_center_number_version,
        schema.contact_center_number_momentary_version,
    ):
        columns = [table.c[name] for name in ("account_id", "opened_by", "closed_by")]
        versions.append(
            select(*columns, *(table.c[name] for name in Attributes._fields)).where(
                tuple_(table.c.account_id, table.c.phone_number_id).in_(wanted),
                or_(table.c.opened_by.in_(positions), table.c.closed_by.in_(positions)),
            )
        )
    before, after = {}, {}
    for row in connection.execute(union_all(*versions)):
        attributes = Attributes(*row[3:])
        before[row.account_id, row.closed_by] = attributes
        after[row.account_id, row.opened_by] = attributes
    return {key: between(before[key], after[key]) for key in before.keys() & after.keys()}


def between(before: Attributes, after: Attributes) -> list[Difference]:
    """The fields in which two states differ; the address of a number is none of them."""
    return [
        Difference(name, old, new)
        for name, old, new in zip(Attributes._fields, before, after, strict=True)
        if name != "uri" and old != new
    ]
