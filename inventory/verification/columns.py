"""
Whether an event's columns say what its payload says, by a fresh reading of the payload.

Pure. The account is the one column that a payload may leave open: one that names none was given
the account configured when it arrived, so any account is right; one that names another is not.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from inventory.event import Attributes, Event, Origin
from inventory.notification import Rejection, parse
from inventory.verification.difference import Difference, shown

SAID = (
    *("phone_number_id", "event_uuid", "event_type", "occurred_at", "subscription_id", "owner_id"),
    *Attributes._fields,
)
"""The columns that a payload says, in the order in which they are read."""

# The seal's source says who wrote the events under it, and so what their origin is.
ORIGINS: tuple[tuple[str, Origin], ...] = (
    ("confirmation", "observation"),
    ("reconciliation:", "observation"),
    ("operator:", "operator"),
)

# How far ahead a timestamp may lie was decided when the event arrived, by the clock of then.
_LATEST = datetime.max.replace(tzinfo=UTC)


class Entry(NamedTuple):
    """One row of the log, as it is."""

    position: int
    recorded_at: datetime
    origin: str
    payload: bytes
    payload_sha256: bytes
    said: tuple[Any, ...]
    """The columns of `SAID`."""

    @property
    def phone_number_id(self) -> str:
        return str(self.said[0])


class _Envelope(msgspec.Struct):
    origin: Any = None


_read_envelope = msgspec.json.Decoder(_Envelope).decode


def read(payload: bytes, account_id: str) -> Event | Rejection:
    """The event that *payload* is in the log of *account_id*."""
    return parse(payload, latest=_LATEST, account_id=account_id)


def said(event: Event) -> tuple[Any, ...]:
    """The columns of `SAID`, as *event* has them."""
    return (*event[1:4], *event[5:8], *event[8])


def origin_of(source: str) -> Origin:
    """
    The origin of events that came from *source*.

    >>> origin_of("webhook"), origin_of("operator:ada")
    ('notification', 'operator')
    """
    return next((origin for start, origin in ORIGINS if source.startswith(start)), "notification")


def differences(
    account_id: str, entry: Entry, event: Event | Rejection, source: str | None
) -> Iterator[Difference]:
    """
    Every column of *entry* that is not as its payload, read as *event*, and its *source* have it.

    *source* is null where no seal says it.
    """

    def differs(what: str, expected: Any, found: Any) -> Difference:
        return Difference(
            account_id,
            entry.position,
            entry.phone_number_id,
            f"event.{what}",
            shown(expected),
            shown(found),
        )

    if isinstance(event, Rejection):
        yield differs("payload", "a notification", f"{event.reason}: {event.detail}")
    else:
        if event.account_id != account_id:
            yield differs("account_id", event.account_id, account_id)
        for name, expected, found in zip(SAID, said(event), entry.said, strict=True):
            if expected != found:
                yield differs(name, expected, found)
    if source is None:
        return
    origin = origin_of(source)
    if entry.origin != origin:
        yield differs("origin", f"{origin}, by its source {source}", entry.origin)
    # What others send may hold a member `origin` too, which then means nothing.
    if origin != "notification" and (named := _origin_named(entry.payload)) != origin:
        yield differs("payload", f"origin {origin}, by its source {source}", f"origin {named}")


def _origin_named(payload: bytes) -> Any:
    """The origin that an envelope of ours names."""
    try:
        return _read_envelope(payload).origin
    except (UnicodeDecodeError, msgspec.DecodeError, RecursionError):
        return None
