"""
What we saw at RingCentral, as an event.

Pure. An observation is appended like a notification and folds like one; its payload is an envelope
of ours, in the shape of a notification's, with RingCentral's answer in it as it came.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import NamedTuple
from uuid import UUID, uuid5

import msgspec

from inventory.drift import spelled_as_held
from inventory.envelope import enveloped
from inventory.errors import InventoryError
from inventory.event import Attributes, Event
from inventory.notification import (
    ACCOUNT_IN_URI,
    PhoneNumberInfo,
    Rejection,
    attributes_of,
    is_id,
    parse,
    too_deep,
)

_NAMESPACE = UUID("5b1c7a0e-6f0d-4f57-9b43-3b8f2a7d6c11")

_read = msgspec.json.Decoder(PhoneNumberInfo).decode


class UnusableAnswer(InventoryError):
    """What was read of a number cannot be an observation of it."""


class Sighting(NamedTuple):
    """A look at one number."""

    phone_number_id: str
    seen_at: datetime
    """The moment before the request was sent, so that a later notification wins."""
    attributes: Attributes | None
    """As the source spells them; null: there is no such number."""
    answer: str
    """What the source said of it, JSON, as it came."""


def sight(answer: str, *, account_id: str, seen_at: datetime) -> Sighting:
    """
    A number as RingCentral's REST API, or what speaks like it, shows it in *answer*.

    Raises:
        UnusableAnswer: It is no phone number, or one of another account.
    """
    try:
        info = _read(answer)
    except (msgspec.DecodeError, RecursionError) as error:
        what, _, where = str(error).partition(" - at `$")
        raise UnusableAnswer(
            f"expected a phone number from RingCentral, got {where.strip('.`') or 'an answer'}: "
            f"{what[0].lower()}{what[1:]}"
        ) from None
    phone_number_id = str(info.id)
    if not is_id(phone_number_id):
        raise UnusableAnswer("expected a phone number from RingCentral, got one without an id")
    if "\\u0000" in answer:
        raise UnusableAnswer(
            f"expected number {phone_number_id} from RingCentral, got U+0000 in it, "
            "which text cannot hold"
        )
    if too_deep(answer.encode(), around=1):
        raise UnusableAnswer(
            f"expected number {phone_number_id} from RingCentral, got it nested too deep"
        )
    account = ACCOUNT_IN_URI.search(info.uri or "")
    if account is not None and account[1] != account_id:
        raise UnusableAnswer(
            f"expected number {phone_number_id} of account {account_id} from RingCentral, got it "
            f"of account {account[1]}"
        )
    return Sighting(phone_number_id, seen_at, attributes_of(info), answer)


def absence(phone_number_id: str, seen_at: datetime) -> Sighting:
    """RingCentral has no such number."""
    return Sighting(phone_number_id, seen_at, None, "null")


def observe(sighting: Sighting, *, account_id: str, run: str, held: Attributes | None) -> Event:
    """
    The event that a look at a number is.

    Args:
        sighting: What was seen.
        account_id: Digits.
        run: What the look was part of. The same run sees a number once: the same uuid comes of it.
        held: What the inventory has of the number, if it has it.

    Raises:
        UnusableAnswer: What was seen cannot be an event.
    """
    phone_number_id, seen_at, said, answer = sighting
    notification = enveloped(
        spelled_as_held(said, held) if said else None,
        account_id=account_id,
        phone_number_id=phone_number_id,
        uuid=str(uuid5(_NAMESPACE, f"{account_id}/{phone_number_id}/{run}")),
        occurred_at=seen_at,
        origin="observation",
        beside={"run": run},
    )
    # As it came: what we make of it is above, and may be made anew.
    payload = f'{json.dumps(notification)[:-1]}, "answer": {answer}}}'
    event = parse(payload.encode(), latest=seen_at)
    if isinstance(event, Rejection):
        raise UnusableAnswer(f"expected a phone number from RingCentral, got {event.detail}")
    return event._replace(origin="observation")
