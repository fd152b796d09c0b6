"""The inventory as it was, from what is known of it now."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Select, or_, select

from inventory import schema
from inventory.event import Attributes
from inventory.read_model.conditions import equal

_version = schema.contact_center_number_version


def numbers_at(
    at: datetime,
    *,
    account: str | None = None,
    provider: str | None = None,
    status: str | None = None,
    usage_type: str | None = None,
) -> Select[Any]:
    """
    The inventory as it was *at* one time, from what is known now, in order of account and number.

    What `numbers_as_of` says of that, read off the versions: sooner, and with since when each
    number was as it was; of what is not folded yet it knows nothing.
    """
    return (
        select(
            *(_version.c[name] for name in ("account_id", "phone_number_id")),
            *(_version.c[name] for name in Attributes._fields),
            _version.c.valid_from,
        )
        .where(
            _version.c.valid_from <= at,
            or_(_version.c.valid_to.is_(None), _version.c.valid_to > at),
            *equal(
                _version,
                account_id=account,
                provider_id=provider,
                status=status,
                usage_type=usage_type,
            ),
        )
        .order_by(_version.c.account_id, _version.c.phone_number, _version.c.phone_number_id)
    )
