"""
Keeping the subscription that RingCentral's notifications hang on.

RingCentral ends, disables or blacklists a subscription without a word, and days without
notifications are normal: only asking tells. Source: developer guide, *Webhooks*, *Troubleshooting*.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from urllib.parse import urlsplit, urlunsplit

from psycopg import Connection
from psycopg.types.json import Json

from inventory.errors import InventoryError
from inventory.ringcentral import RingCentral, Subscription

NUMBERS = "/restapi/v1.0/account/~/phone-number?usageType=ContactCenterNumber"
"""Contact Center numbers created, deleted, converted and reassigned away."""
REMINDER = "/restapi/v1.0/subscription/~?threshold=432000&interval=86400"
"""A word a day over the last five days of a subscription."""
FILTERS = (NUMBERS, REMINDER)
TERM = timedelta(days=90)
RENEW_BELOW = timedelta(days=60)
"""What must be left of the term: a renewal may fail for two months before anything is lost."""

# Two replicas that find none would create two.
ALONE = "SELECT pg_advisory_lock(hashtextextended('inventory subscription', 0))"
NO_LONGER_ALONE = "SELECT pg_advisory_unlock(hashtextextended('inventory subscription', 0))"

FORGET_OTHERS = """
DELETE FROM inventory.subscription
WHERE account_id = %(account_id)s AND subscription_id <> ALL (%(ids)s::text[])
"""
REMEMBER = """
INSERT INTO inventory.subscription (
    subscription_id, account_id, status, event_filters, disabled_filters, transport, address,
    expires_at, seen_at
) VALUES (
    %(id)s, %(account_id)s, %(status)s, %(filters)s, %(disabled)s, %(transport)s, %(address)s,
    %(expires_at)s, %(seen_at)s
)
ON CONFLICT (subscription_id) DO UPDATE
SET account_id = excluded.account_id,
    status = excluded.status,
    event_filters = excluded.event_filters,
    disabled_filters = excluded.disabled_filters,
    transport = excluded.transport,
    address = excluded.address,
    expires_at = excluded.expires_at,
    seen_at = excluded.seen_at
"""
ASK_FOR_RECONCILIATION = """
INSERT INTO inventory.reconciliation (account_id, source, mode, requested_at, reason)
SELECT %(account_id)s, 'ringcentral', 'apply', statement_timestamp(), %(reason)s
WHERE NOT EXISTS (
    SELECT
    FROM inventory.reconciliation
    WHERE account_id = %(account_id)s AND started_at IS NULL
)
"""

log = logging.getLogger(__name__)


class SilentSubscription(InventoryError):
    """RingCentral accepted the subscription, and will deliver nothing of what we asked for."""


class NotRenewed(InventoryError):
    """RingCentral accepted the renewal, and the subscription ends when it did before."""


class Kept(NamedTuple):
    """The subscription that delivers, and what was done for it."""

    subscription: Subscription
    created: bool
    deleted: list[str]
    """Ids of ours that were broken, or one too many."""
    renewed: bool


class Keeper:
    """
    Keeps one subscription that delivers to us.

    Args:
        ringcentral: Where.
        address: Of our receiver, as RingCentral reaches it; its query string may be a secret.
        token: The verification token that deliveries are to carry; null: none.
    """

    def __init__(self, ringcentral: RingCentral, *, address: str, token: str | None) -> None:
        self._ringcentral = ringcentral
        self._address = address
        self._token = token

    def ensure(self, connection: Connection, *, replace: bool = False) -> Kept:
        """
        See to it that exactly one subscription of ours delivers.

        What is there is adopted; only if nothing is, or with *replace*, one is created, before the
        old ones are deleted. A subscription that had to be created leaves a gap of notifications
        behind it: a reconciliation is asked for. Expects a connection in autocommit mode.

        Raises:
            SilentSubscription: RingCentral does not serve the filter; people must mend that.
            NotRenewed: It is about to end and could not be prolonged.
            RingCentralError: RingCentral could not be asked, or refused.
        """
        with _alone(connection):
            account_id = self._ringcentral.account_id()
            found = self._ringcentral.subscriptions()
            _remember(connection, account_id, found)
            ours = [each for each in found if is_ours(each, self._address)]
            for each in ours:
                require_served(each)
            good = [each for each in ours if each.status == "Active"]
            good.sort(key=end_of, reverse=True)
            kept = None if replace or not good else good[0]
            created = kept is None
            if kept is None:
                kept = self._create()
            deleted = [each.id for each in ours if each.id != kept.id]
            for each in ours:
                if each.id != kept.id:
                    log.info("deleting subscription %s (%s)", each.id, each.status)
                    self._ringcentral.delete_subscription(each.id)
            renewed = not created and end_of(kept) < datetime.now(UTC) + RENEW_BELOW
            if renewed:
                kept = self._renew(kept)
            others = [each for each in found if each not in ours]
            _remember(connection, account_id, [*others, kept])
            if created and not replace:
                states = ", ".join(f"{each.id} was {each.status}" for each in ours)
                reason = f"subscription {kept.id} created; {states or 'there was none'}"
                ask_for_reconciliation(connection, account_id, reason)
            return Kept(kept, created, deleted, renewed)

    def _create(self) -> Subscription:
        created = self._ringcentral.create_subscription(
            FILTERS,
            address=self._address,
            token=self._token,
            expires_in=int(TERM.total_seconds()),
        )
        log.info("created subscription %s, until %s", created.id, created.expiration_time)
        require_served(created)
        if end_of(created) < datetime.now(UTC) + RENEW_BELOW:
            # Read back, since terms have been shortened or ignored silently.
            return self._renew(created)
        return created

    def _renew(self, subscription: Subscription) -> Subscription:
        renewed = self._ringcentral.renew_subscription(subscription.id)
        if end_of(renewed) <= end_of(subscription):
            raise NotRenewed(
                f"expected subscription {subscription.id} to end after "
                f"{end_of(subscription).isoformat()} once renewed, and it does not"
            )
        log.info("renewed subscription %s, until %s", renewed.id, renewed.expiration_time)
        return renewed


def is_ours(subscription: Subscription, address: str) -> bool:
    """Whether it tells *address* of numbers; others may share the app or the address."""
    filters = {*subscription.event_filters, *_disabled(subscription)}
    return subscription.delivery_mode.address == address and NUMBERS in resolved(filters)


def remembered(connection: Connection, ringcentral: RingCentral) -> list[Subscription]:
    """All subscriptions of the user and the app, which the database then holds as last seen."""
    found = ringcentral.subscriptions()
    _remember(connection, ringcentral.account_id(), found)
    return found


def ask_for_reconciliation(connection: Connection, account_id: str, reason: str) -> None:
    """Leave word that notifications may have been missed; once, until somebody takes it up."""
    connection.execute(ASK_FOR_RECONCILIATION, {"account_id": account_id, "reason": reason})


def resolved(filters: Iterable[str]) -> set[str]:
    """
    *filters* as a set, with `~` again where RingCentral put ids.

    >>> resolved(["/restapi/v1.0/account/123/phone-number"])
    {'/restapi/v1.0/account/~/phone-number'}
    """
    return {re.sub(r"/(account|extension)/[0-9]+", r"/\1/~", each) for each in filters}


def shown_address(address: str | None) -> str | None:
    """*address* without its query string, which may hold a secret."""
    if address is None:
        return None
    parts = urlsplit(address)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    connection.execute(ALONE)
    try:
        yield
    finally:
        if not connection.broken:
            connection.execute(NO_LONGER_ALONE)


def tells_of_numbers(filters: Iterable[str], disabled: Iterable[str]) -> bool:
    """Whether a subscription with these filters, of which RingCentral serves not all, does."""
    return NUMBERS in resolved(filters) - resolved(disabled)


def require_served(subscription: Subscription) -> None:
    """Fail unless it is told of numbers; a status of Active does not say so."""
    disabled = [
        each for each in subscription.disabled_filters if NUMBERS in resolved([each.filter])
    ]
    if disabled:
        why = " ".join(filter(None, [disabled[0].reason, disabled[0].message]))
        raise SilentSubscription(
            f"expected subscription {subscription.id} to tell of Contact Center numbers, and "
            f"RingCentral disabled that filter: {why or 'it does not say why'}"
        )
    if NUMBERS not in resolved(subscription.event_filters):
        raise SilentSubscription(
            f"expected subscription {subscription.id} to tell of Contact Center numbers, and "
            "RingCentral dropped that filter"
        )


def _disabled(subscription: Subscription) -> list[str]:
    return [each.filter for each in subscription.disabled_filters]


def end_of(subscription: Subscription) -> datetime:
    """When it ends; one that does not say, never does."""
    return subscription.expiration_time or datetime.max.replace(tzinfo=UTC)


def _remember(connection: Connection, account_id: str, found: Iterable[Subscription]) -> None:
    found = list(found)
    with connection.transaction():
        ids = [each.id for each in found]
        connection.execute(FORGET_OTHERS, {"account_id": account_id, "ids": ids})
        for each in found:
            disabled = [filter_.model_dump() for filter_ in each.disabled_filters]
            connection.execute(
                REMEMBER,
                {
                    "id": each.id,
                    "account_id": account_id,
                    "status": each.status,
                    "filters": each.event_filters,
                    "disabled": Json(disabled) if disabled else None,
                    "transport": each.delivery_mode.transport_type,
                    "address": shown_address(each.delivery_mode.address),
                    "expires_at": each.expiration_time,
                    "seen_at": datetime.now(UTC),
                },
            )
