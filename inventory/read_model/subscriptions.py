"""RingCentral's subscriptions, as last seen."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, select

from inventory import schema

_subscription = schema.subscription


def subscriptions() -> Select[Any]:
    """What makes RingCentral tell us, and until when, as we last read it."""
    return select(_subscription).order_by(_subscription.c.subscription_id)
