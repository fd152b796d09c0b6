"""What providers are called."""

from __future__ import annotations

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from inventory import schema

_version = schema.contact_center_number_version

# Names are few and versions many: grouped first, then put in order.
_named = (
    select(
        _version.c.provider_id,
        _version.c.provider_name,
        func.max(_version.c.valid_from).label("seen"),
    )
    .where(_version.c.provider_id.is_not(None), _version.c.provider_name.is_not(None))
    .group_by(_version.c.provider_id, _version.c.provider_name)
    .subquery()
)


def provider_names(connection: Connection) -> dict[str, str]:
    """The latest name of each provider that ever had one, whatever the account."""
    latest_first = aggregate_order_by(
        _named.c.provider_name, _named.c.seen.desc(), _named.c.provider_name
    )
    rows = connection.execute(
        select(_named.c.provider_id, func.array_agg(latest_first)[1]).group_by(_named.c.provider_id)
    )
    return {row[0]: row[1] for row in rows}
