"""What changed, and what moved."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    FromClause,
    MetaData,
    Select,
    Table,
    Text,
    case,
    cast,
    func,
    literal_column,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import distinct_on

from inventory import schema
from inventory.lifecycle import Kind
from inventory.read_model.conditions import equal, of_numbers, within
from inventory.read_model.versions import versions_as_of

REASSIGNMENTS: tuple[Kind, ...] = ("reassigned_in", "provider_changed", "reassigned_out")
"""The kinds that the view of reassignments holds."""

# The view, as the migrations make it.
_change = Table(
    "change",
    MetaData(schema=schema.NAME),
    Column("account_id", schema.ID, nullable=False, comment="RingCentral account, digits"),
    Column(
        "phone_number_id",
        schema.ID,
        nullable=False,
        comment="RingCentral's id of the number, digits",
    ),
    Column(
        "phone_number",
        Text,
        comment="E.164: after the change, or before it where the number left",
    ),
    Column("changed_at", schema.INSTANT, nullable=False, comment="When it happened"),
    Column(
        "kind",
        Text,
        nullable=False,
        comment="created, reassigned_in (converted to Contact Center), provider_changed, "
        "attributes_changed, reassigned_out (to another use), deleted",
    ),
    Column(
        "from_provider_id",
        Text,
        comment="Provider before; null: none named, or the number was not in",
    ),
    Column("from_provider_name", Text, comment="Its name, as sent"),
    Column("to_provider_id", Text, comment="Provider after; null: none named, or the number left"),
    Column("to_provider_name", Text, comment="Its name, as sent"),
    Column("position", BigInteger, nullable=False, comment="The event that made the change"),
    Column(
        "origin",
        Text,
        nullable=False,
        comment="Where that event came from: notification, observation, operator",
    ),
)

OUTSIDE = "(outside)"
"""What stands for a provider where a number came from outside Contact Center, or went there."""


def changes(
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    kind: Sequence[str] = (),
    from_provider: str | None = None,
    to_provider: str | None = None,
    account: str | None = None,
    keys: Sequence[tuple[str, str]] | None = None,
    at: datetime | None = None,
    known_at: datetime | None = None,
    limit: int | None = None,
) -> Select[Any]:
    """
    Changes in [since, until), latest first; at another time those until then, as known then.

    What had been known then may differ from what is known of it now: an event that came late makes
    changes, and unmakes others.
    """
    if known_at is None:
        change: FromClause = _change
    else:
        change = _boundaries(versions_as_of(at, known_at, account=account, keys=keys))
    wanted = within(change.c.changed_at, since, until)
    if at is not None:
        wanted.append(change.c.changed_at <= at)
    if kind:
        wanted.append(change.c.kind.in_(kind))
    return (
        select(change)
        .where(
            *wanted,
            *of_numbers(change, keys),
            *equal(
                change,
                account_id=account,
                from_provider_id=from_provider,
                to_provider_id=to_provider,
            ),
        )
        .order_by(change.c.changed_at.desc(), change.c.account_id, change.c.position.desc())
        .limit(limit)
    )


def reassignments(*, kind: Sequence[str] = (), **wanted: Any) -> Select[Any]:
    """The changes that moved a number; of these kinds or, if none is named, of all three."""
    return changes(kind=kind or REASSIGNMENTS, **wanted)


def reassignment_matrix(
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    account: str | None = None,
) -> Select[Any]:
    """
    How many reassignments in [since, until) went from whom to whom, by providers' ids.

    A provider has the latest name that was seen of it among them. `OUTSIDE` has no id; nor has a
    provider that was not named, and that has no name either.
    """
    wanted = reassignments(since=since, until=until, account=account)
    change = wanted.order_by(None).subquery()
    alike = (
        *(change.c.kind, change.c.from_provider_id, change.c.from_provider_name),
        *(change.c.to_provider_id, change.c.to_provider_name),
    )
    # Moves are many and kinds of them few: all that follows is about these.
    moved = (
        select(
            *alike,
            func.count().label("count"),
            func.max(change.c.changed_at).label("changed_at"),
            func.max(change.c.position).label("position"),
        )
        .group_by(*alike)
        .cte("moved")
    )
    sides = union_all(
        *(
            select(
                moved.c[f"{side}_provider_id"].label("id"),
                moved.c[f"{side}_provider_name"].label("name"),
                moved.c.changed_at,
                moved.c.position,
            ).where(moved.c[f"{side}_provider_name"].is_not(None))
            for side in ("from", "to")
        )
    ).subquery()
    named = (
        select(sides.c.id, sides.c.name)
        .ext(distinct_on(sides.c.id))
        .order_by(sides.c.id, sides.c.changed_at.desc(), sides.c.position.desc(), sides.c.name)
        .cte("named")
    )
    giving, taking = named.alias("giving"), named.alias("taking")
    came, left = moved.c.kind == "reassigned_in", moved.c.kind == "reassigned_out"
    cell = (
        moved.c.from_provider_id,
        case((came, OUTSIDE), else_=giving.c.name).label("from_provider_name"),
        moved.c.to_provider_id,
        case((left, OUTSIDE), else_=taking.c.name).label("to_provider_name"),
    )
    return (
        select(*cell, cast(func.sum(moved.c["count"]), BigInteger).label("count"))
        .select_from(
            moved.outerjoin(giving, giving.c.id == moved.c.from_provider_id).outerjoin(
                taking, taking.c.id == moved.c.to_provider_id
            )
        )
        .group_by(*cell)
        .order_by(*(column.nulls_first() for column in cell))
    )


def _boundaries(version: FromClause) -> FromClause:
    """What began and what ended in each of these versions, as the view has it."""
    v = version.c
    nothing: ColumnElement[str] = literal_column("NULL::text")
    opened = select(
        v.account_id,
        v.phone_number_id,
        v.phone_number,
        v.valid_from.label("changed_at"),
        v.opened_kind.label("kind"),
        v.previous_provider_id.label("from_provider_id"),
        v.previous_provider_name.label("from_provider_name"),
        v.provider_id.label("to_provider_id"),
        v.provider_name.label("to_provider_name"),
        v.opened_by.label("position"),
        v.opened_origin.label("origin"),
    )
    closed = select(
        v.account_id,
        v.phone_number_id,
        v.phone_number,
        v.valid_to,
        v.closed_kind,
        v.provider_id,
        v.provider_name,
        nothing,
        nothing,
        v.closed_by,
        v.closed_origin,
    ).where(v.closed_kind.is_not(None))
    return union_all(opened, closed).subquery("change")
