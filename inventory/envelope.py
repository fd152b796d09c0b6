"""
An envelope of ours, in the shape of a notification: what we say ourselves is read like the rest.

Pure. It names its origin, which a notification does not: should one do so all the same, it means
nothing.
"""

from __future__ import annotations

from datetime import datetime

from inventory.event import Attributes, Origin

_INFO = {
    "phoneNumber": "phone_number",
    "paymentType": "payment_type",
    "location": "location",
    "type": "number_type",
    "usageType": "usage_type",
    "status": "status",
}


def enveloped(
    said: Attributes | None,
    *,
    account_id: str,
    phone_number_id: str,
    uuid: str,
    occurred_at: datetime,
    origin: Origin,
    beside: dict[str, str],
) -> dict[str, object]:
    """
    What is *said* of a number, as a notification has it, to be written as JSON.

    Args:
        said: Its attributes; null: there is no such number.
        account_id: Digits.
        phone_number_id: Digits.
        uuid: Of the event.
        occurred_at: When it was so.
        origin: Who says it.
        beside: What such envelopes hold and notifications do not.
    """
    return {
        "uuid": uuid,
        "event": f"/restapi/v1.0/account/{account_id}/phone-number",
        "timestamp": occurred_at.isoformat(),
        "origin": origin,
        **beside,
        "body": {
            "eventType": "Deleted" if said is None else "Updated",
            "phoneNumberInfo": {"id": phone_number_id} | (_info(said) if said else {}),
        },
    }


def _info(said: Attributes) -> dict[str, object]:
    """`phoneNumberInfo`, less what nothing was said of."""
    info: dict[str, object] = {"uri": said.uri}
    info |= {name: getattr(said, field) for name, field in _INFO.items()}
    if said.provider_id or said.provider_name:
        info["contactCenterProvider"] = {"id": said.provider_id, "name": said.provider_name}
    return {name: value for name, value in info.items() if value is not None}
