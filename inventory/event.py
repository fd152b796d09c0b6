"""
An event: one accepted statement about one Contact Center phone number.

The words everything else is built from. No I/O, no clock.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NamedTuple, TypeAlias

EventType: TypeAlias = Literal["Created", "Updated", "Deleted"]
"""What RingCentral says happened (developer guide, *Contact Center Phone Number Event*)."""

Origin: TypeAlias = Literal["notification", "observation", "operator"]
"""Where an event came from: RingCentral pushed it, we looked, or a person entered it."""

CONTACT_CENTER = "ContactCenterNumber"
"""The `usageType` of a number that belongs to Contact Center."""


class Attributes(NamedTuple):
    """
    What an event says of a number, as it was sent; null where it said nothing.

    Open text throughout: RingCentral has added values to every one of its enumerations.
    """

    phone_number: str | None = None
    payment_type: str | None = None
    location: str | None = None
    number_type: str | None = None
    usage_type: str | None = None
    status: str | None = None
    provider_id: str | None = None
    provider_name: str | None = None
    uri: str | None = None

    @property
    def state(self) -> tuple[str | None, ...]:
        """The attributes whose change makes a new version: all but `uri`."""
        return self[:8]


class Event(NamedTuple):
    """
    One accepted notification, observation or correction, before it has a position.

    Everything but *account_id* can be read from *payload* again, which is kept byte for byte.
    """

    account_id: str
    """Digits."""
    phone_number_id: str
    """Digits; with the account it identifies the number."""
    event_uuid: str
    """Theirs, opaque: recorded traffic carries 18-20 digit decimals as well as RFC 4122."""
    event_type: EventType
    origin: Origin
    occurred_at: datetime
    """Theirs, in UTC, to the microsecond: when the notification was sent or the look was taken."""
    subscription_id: str | None
    owner_id: str | None
    """The subscription owner's extension, never the account."""
    attributes: Attributes
    payload: str
    """JSON as it arrived; its UTF-8 is what arrived, byte for byte."""
    payload_sha256: bytes
    """32 bytes over *payload* in UTF-8."""


class Recorded(NamedTuple):
    """An event in its place in the account's log."""

    position: int
    """Dense per account, 1, 2, 3 …, in commit order."""
    recorded_at: datetime
    """Ours: when the append that holds it took the account's lock; never falls along the log."""
    event: Event
    source: str | None = None
    """Where it came from, as sealed with it: webhook, file:NAME, …; null: that was not read."""
