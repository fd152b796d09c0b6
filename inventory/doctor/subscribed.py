"""The subscription: one of ours, that delivers, for long enough."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from inventory.doctor.judgement import Judgement, failed, ok, together, warning
from inventory.ringcentral import DisabledFilter, Subscription
from inventory.subscription import NUMBERS, RENEW_BELOW, end_of, resolved

ENSURE = "`inventory subscription ensure`; `inventory serve` keeps it from then on"
SLACK = timedelta(days=1)
"""What may be missing from `RENEW_BELOW`: who renews it may be down for a day."""
ALARM = timedelta(days=5)
"""What is left when RingCentral begins to remind us."""


def judge_subscription(ours: Sequence[Subscription], others: int, address: str) -> Judgement:
    """
    Whether exactly one delivers to us.

    Args:
        ours: Those that tell our receiver of numbers.
        others: How many more the user and the app have.
        address: Our receiver's, as it may be shown.
    """
    if not ours:
        more = f", {others} to other addresses or of other events" if others else ""
        return failed(f"none tells {address} of numbers{more}", ENSURE)
    active = [each for each in ours if each.status == "Active"]
    broken = [each for each in ours if each.status != "Active"]
    if not active:
        return failed(
            "; ".join(map(_broken, broken)),
            "mend the receiver as `handshake` says, then `inventory subscription ensure`: it makes "
            "a new one, and asks for a reconciliation over the gap",
        )
    if len(ours) > 1:
        found = f"{len(active)} deliver to {address}: each change is told as often"
        if broken:
            found = "; ".join([f"{active[0].id} is Active", *map(_broken, broken)])
        return warning(found, "`inventory subscription ensure`: it keeps one, deletes the others")
    return ok(f"{active[0].id} is Active, and delivers to {address}")


def judge_filters(subscription: Subscription) -> Judgement:
    """Whether RingCentral serves what it accepted: an Active subscription can be silent."""
    return together(
        (_unserved(subscription, each) for each in subscription.disabled_filters),
        "none is disabled",
    )


def judge_expiry(subscription: Subscription, now: datetime) -> Judgement:
    """Whether it is renewed in time."""
    if subscription.expiration_time is None:
        return ok("it does not say that it ends")
    left = end_of(subscription) - now
    what = f"it ends at {subscription.expiration_time:%Y-%m-%d %H:%M}Z, in {left.days} days"
    renew = f"`inventory subscription renew {subscription.id}`; then keep `inventory serve` up"
    if left < ALARM:
        return failed(f"{what}: nobody renews it", renew)
    if left < RENEW_BELOW - SLACK:
        return warning(f"{what}, and should have been renewed", renew)
    return ok(what)


def _broken(subscription: Subscription) -> str:
    black = subscription.blacklisted_data
    reason = f": {black.reason}" if black is not None and black.reason else ""
    since = (
        f" since {black.blacklisted_at:%Y-%m-%d %H:%M}Z"
        if black is not None and black.blacklisted_at is not None
        else ""
    )
    return f"{subscription.id} is {subscription.status}{since}{reason}"


def _unserved(subscription: Subscription, disabled: DisabledFilter) -> Judgement:
    why = " ".join(filter(None, [disabled.reason, disabled.message])) or "it does not say why"
    found = f"RingCentral does not serve {disabled.filter}: {why}"
    mend = (
        "mend `scopes` and `permission`, then "
        f"`inventory subscription delete {subscription.id}` and `inventory subscription ensure`"
    )
    if NUMBERS in resolved([disabled.filter]):
        return failed(found, mend)
    return warning(found, mend)
