"""Contact Center providers, and how many numbers each has."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, MetaData, Select, Table, Text, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from inventory import schema
from inventory.read_model.conditions import equal
from inventory.read_model.versions import lasting, versions_as_of

# The view, as the migrations make it.
_provider = Table(
    "provider",
    MetaData(schema=schema.NAME),
    Column("account_id", schema.ID, nullable=False, comment="RingCentral account, digits"),
    Column(
        "provider_id",
        Text,
        comment="RingCentral's id of it; null: none named, RingCentral then means 1",
    ),
    Column("provider_name", Text, comment="The latest name seen; one id comes with several"),
    Column("numbers", BigInteger, nullable=False, comment="Numbers it has now"),
    Column(
        "last_changed_at",
        schema.INSTANT,
        nullable=False,
        comment="When one of its numbers last changed, came or went",
    ),
)


def providers(
    *,
    account: str | None = None,
    at: datetime | None = None,
    known_at: datetime | None = None,
    limit: int | None = None,
) -> Select[Any]:
    """Every provider that ever had a number, by account and id; or had had one, as known then."""
    provider: Any = _provider
    if at is not None or known_at is not None:
        provider = _providers_as_of(at, known_at, account)
    return (
        select(provider)
        .where(*equal(provider, account_id=account))
        .order_by(provider.c.account_id, provider.c.provider_id.asc().nulls_last())
        .limit(limit)
    )


def _providers_as_of(at: datetime | None, known_at: datetime | None, account: str | None) -> Any:
    """What the view says, of versions as of two clocks."""
    version = versions_as_of(at, known_at, account=account)
    v = version.c
    latest = aggregate_order_by(v.provider_name, v.valid_from.desc(), v.opened_by.desc())
    name = func.array_agg(latest).filter(v.provider_name.is_not(None))
    return (
        select(
            v.account_id,
            v.provider_id,
            name[1].label("provider_name"),
            func.count().filter(v.valid_to.is_(None)).label("numbers"),
            func.greatest(func.max(v.valid_from), func.max(v.valid_to)).label("last_changed_at"),
        )
        .where(lasting(version))
        .group_by(v.account_id, v.provider_id)
        .subquery("provider")
    )
