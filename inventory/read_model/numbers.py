"""Numbers, now and over time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select, tuple_

from inventory import schema
from inventory.event import Attributes
from inventory.read_model.conditions import beginning, equal, of_numbers
from inventory.read_model.folded import folded
from inventory.read_model.versions import lasting, versions_as_of

_number = schema.contact_center_number
_version = schema.contact_center_number_version
_ATTRIBUTES = ("account_id", "phone_number_id", *Attributes._fields)


def numbers(
    *,
    keys: Sequence[tuple[str, str]] | None = None,
    account: str | None = None,
    provider: str | None = None,
    status: str | None = None,
    usage_type: str | None = None,
    prefix: str | None = None,
    changed_since: datetime | None = None,
    limit: int | None = None,
) -> Select[Any]:
    """
    The current inventory, in order of account and E.164 number.

    *keys* are accounts and ids; *prefix* is what E.164 numbers begin with; *changed_since* is when
    the version began that a number is of now, or later.
    """
    wanted = [
        *of_numbers(_number, keys),
        *_equal(_number, account, provider, status, usage_type),
        *beginning(_number.c.phone_number, prefix),
    ]
    if changed_since is not None:
        wanted.append(_number.c.valid_from >= changed_since)
    return (
        select(_number)
        .where(*wanted)
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
    usage_type: str | None = None,
    prefix: str | None = None,
    changed_since: datetime | None = None,
    limit: int | None = None,
) -> Select[Any]:
    """
    The inventory as it was *at* one time, as known at another; null: whatever there is.

    Otherwise as `numbers`, less what only the current inventory holds.
    """
    columns = [_number.c[name] for name in _ATTRIBUTES]
    number = folded("number_as_of", at, known_at, columns).subquery("number")
    wanted = [
        *of_numbers(number, keys),
        *_equal(number, account, provider, status, usage_type),
        *beginning(number.c.phone_number, prefix),
    ]
    if changed_since is not None:
        version = versions_as_of(at, known_at, account=account, keys=keys)
        changed = select(version.c.account_id, version.c.phone_number_id).where(
            version.c.valid_to.is_(None), version.c.valid_from >= changed_since
        )
        wanted.append(tuple_(number.c.account_id, number.c.phone_number_id).in_(changed))
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
        .where(*of_numbers(_number, keys))
        .order_by(_number.c.account_id, _number.c.phone_number_id)
    )


def history(
    keys: Sequence[tuple[str, str]],
    *,
    at: datetime | None = None,
    known_at: datetime | None = None,
    limit: int | None = None,
) -> Select[Any]:
    """The versions of these numbers, oldest first; as they were and as known at other times."""
    version: Any = _version
    wanted = of_numbers(_version, keys)
    if at is not None or known_at is not None:
        version = versions_as_of(at, known_at, keys=keys)
        wanted = [lasting(version)]
    return (
        select(version)
        .where(*wanted)
        .order_by(version.c.account_id, version.c.valid_from, version.c.phone_number_id)
        .limit(limit)
    )


def _equal(
    table: Any,
    account: str | None,
    provider: str | None,
    status: str | None,
    usage_type: str | None,
) -> list[Any]:
    return equal(
        table, account_id=account, provider_id=provider, status=status, usage_type=usage_type
    )
