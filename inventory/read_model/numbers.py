"""Numbers, now and over time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select, tuple_

from inventory import schema
from inventory.event import Attributes
from inventory.read_model.conditions import equal

_number = schema.contact_center_number
_version = schema.contact_center_number_version


def numbers(
    *,
    account: str | None = None,
    provider: str | None = None,
    status: str | None = None,
    limit: int | None = None,
) -> Select[Any]:
    """The current inventory, in order of account and E.164 number."""
    return (
        select(_number)
        .where(*equal(_number, account_id=account, provider_id=provider, status=status))
        .order_by(_number.c.account_id, _number.c.phone_number, _number.c.phone_number_id)
        .limit(limit)
    )


def numbers_as_of(
    at: datetime | None,
    known_at: datetime | None,
    *,
    keys: Sequence[tuple[str, str]] | None = None,
    account: str | None = None,
    provider: str | None = None,
    status: str | None = None,
    limit: int | None = None,
) -> Select[Any]:
    """The inventory, or these numbers, as it was *at* one time, as known at another; null: now."""
    columns = ("account_id", "phone_number_id", *Attributes._fields)
    number = (
        func.inventory.number_as_of(
            func.now() if at is None else at, func.now() if known_at is None else known_at
        )
        .table_valued(*columns)
        .alias("number")
    )
    wanted = equal(number, account_id=account, provider_id=provider, status=status)
    if keys is not None:
        wanted.append(tuple_(number.c.account_id, number.c.phone_number_id).in_(keys))
    return (
        select(number)
        .where(*wanted)
        .order_by(number.c.account_id, number.c.phone_number, number.c.phone_number_id)
        .limit(limit)
    )


def current(keys: Sequence[tuple[str, str]]) -> Select[Any]:
    """The rows of these numbers in the current inventory; those that left have none."""
    return (
        select(_number)
        .where(tuple_(_number.c.account_id, _number.c.phone_number_id).in_(keys))
        .order_by(_number.c.account_id, _number.c.phone_number_id)
    )


def history(keys: Sequence[tuple[str, str]], *, limit: int | None = None) -> Select[Any]:
    """The versions of these numbers, oldest first."""
    return (
        select(_version)
        .where(tuple_(_version.c.account_id, _version.c.phone_number_id).in_(keys))
        .order_by(_version.c.account_id, _version.c.valid_from, _version.c.phone_number_id)
        .limit(limit)
    )
