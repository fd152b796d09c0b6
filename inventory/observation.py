"""
What we saw at RingCentral, as an event.

Pure. An observation is appended like a notification and folds like one; its payload is an envelope
of ours, in the shape of a notification's, with RingCentral's answer in it as it came.
"""

from __future__ import annotations

import json
from datetime import datetime
from uuid import UUID, uuid5

from inventory.drift import spelled_as_held
from inventory.errors import InventoryError
from inventory.event import Attributes, Event
from inventory.notification import Rejection, parse

_NAMESPACE = UUID("5b1c7a0e-6f0d-4f57-9b43-3b8f2a7d6c11")
_INFO = {
    "phoneNumber": "phone_number",
    "paymentType": "payment_type",
    "location": "location",
    "type": "number_type",
    "usageType": "usage_type",
    "status": "status",
}


class UnusableAnswer(InventoryError):
    """What was read of a number cannot be an observation of it."""


def observe(
    answer: str | None,
    *,
    account_id: str,
    phone_number_id: str,
    seen_at: datetime,
    run: str,
    held: Attributes | None,
) -> Event:
    """
    The event that a look at a number is.

    Args:
        answer: The number as RingCentral's REST API shows it, JSON; null if it has none.
        account_id: Digits.
        phone_number_id: Digits.
        seen_at: The moment before the request was sent, so that a later notification wins.
        run: What the look was part of. The same run sees a number once: the same uuid comes of it.
        held: What the inventory has of the number, if it has it.

    Raises:
        UnusableAnswer: The answer is no phone number, or another one.
    """
    info = {"id": phone_number_id} if answer is None else _info(answer, held)
    notification = {
        "uuid": str(uuid5(_NAMESPACE, f"{account_id}/{phone_number_id}/{run}")),
        "event": f"/restapi/v1.0/account/{account_id}/phone-number",
        "timestamp": seen_at.isoformat(),
        "origin": "observation",
        "run": run,
        "body": {
            "eventType": "Deleted" if answer is None else "Updated",
            "phoneNumberInfo": info,
        },
    }
    # As it came: what we make of it is above, and may be made anew.
    payload = f'{json.dumps(notification)[:-1]}, "answer": {answer or "null"}}}'
    event = parse(payload.encode(), latest=seen_at)
    if isinstance(event, Rejection):
        raise UnusableAnswer(f"expected a phone number from RingCentral, got {event.detail}")
    if event.phone_number_id != phone_number_id:
        raise UnusableAnswer(
            f"expected number {phone_number_id} from RingCentral, got {event.phone_number_id}"
        )
    return event._replace(origin="observation")


def _info(answer: str, held: Attributes | None) -> dict[str, object]:
    """`phoneNumberInfo`, in the inventory's spelling where only the spelling differs."""
    try:
        found = json.loads(answer)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise UnusableAnswer("expected a phone number from RingCentral, got no JSON object")
    provider = found.get("contactCenterProvider")
    provider = provider if isinstance(provider, dict) else {}
    provider_id = provider.get("id")
    said = Attributes(
        **{field: found.get(name) for name, field in _INFO.items()},
        provider_id=None if provider_id is None else str(provider_id),
        provider_name=provider.get("name"),
        uri=found.get("uri"),
    )
    said = spelled_as_held(said, held)
    info: dict[str, object] = {"id": found.get("id"), "uri": said.uri}
    info |= {name: getattr(said, field) for name, field in _INFO.items()}
    if provider:
        info["contactCenterProvider"] = {"id": said.provider_id, "name": said.provider_name}
    return {name: value for name, value in info.items() if value is not None}
