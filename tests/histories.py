"""
Histories of numbers that live, move and die: what property tests are given.

The domain is kept small on purpose. A handful of instants makes ties and late arrivals common; two
providers, two statuses and few usage types make states meet again.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count, pairwise

from hypothesis import strategies as st

from inventory.event import CONTACT_CENTER, Attributes, Event, EventType, Origin

START = datetime(2026, 3, 1, tzinfo=UTC)
_uuids = count(1)


def an_event(
    number: str = "1",
    event_type: EventType = "Updated",
    at: int = 0,
    *,
    account: str = "37439510",
    origin: Origin = "notification",
    uuid: str | None = None,
    **attributes: str | None,
) -> Event:
    """
    An event *at* so many seconds after the start; what is left out is a plain number's.

    Its payload says all of it but the account, which a test may choose anew.
    """
    uuid = uuid or f"{next(_uuids)}"
    occurred_at = START + timedelta(seconds=at)
    said = Attributes(
        **{
            "phone_number": f"+1202555{int(number) % 10000:04d}",
            "usage_type": CONTACT_CENTER,
            "status": "Normal",
            "provider_id": "1",
        }
        | attributes
    )
    payload = json.dumps(
        {
            "uuid": uuid,
            "event": "/restapi/v1.0/account/{accountId}/phone-number",
            "timestamp": occurred_at.isoformat(),
            "subscriptionId": "9d38419f",
            "ownerId": "8475874957",
            **({} if origin == "notification" else {"origin": origin}),
            "body": {"eventType": event_type, "phoneNumberInfo": _info(number, said)},
        }
    )
    return Event(
        account,
        number,
        uuid,
        event_type,
        origin,
        occurred_at,
        "9d38419f",
        "8475874957",
        said,
        payload,
        sha256(payload.encode()).digest(),
    )


def _info(number: str, said: Attributes) -> dict[str, object]:
    info = {
        "id": number,
        "uri": said.uri,
        "phoneNumber": said.phone_number,
        "paymentType": said.payment_type,
        "location": said.location,
        "type": said.number_type,
        "usageType": said.usage_type,
        "status": said.status,
        "contactCenterProvider": {"id": said.provider_id, "name": said.provider_name},
    }
    return {name: value for name, value in info.items() if value is not None}


def _attributes() -> st.SearchStrategy[dict[str, str | None]]:
    return st.fixed_dictionaries(
        {
            "usage_type": st.sampled_from(
                [CONTACT_CENTER, CONTACT_CENTER, CONTACT_CENTER, None, "DirectNumber"]
            ),
            "provider_id": st.sampled_from(["1", "1", "2", None]),
            "provider_name": st.sampled_from(["InContact/North America", "In-Contact NA", None]),
        },
        optional={
            "status": st.sampled_from(["Normal", "Pending"]),
            "phone_number": st.sampled_from(["+12025550100", "+12025550101", None]),
            "uri": st.sampled_from(["https://one.example/1", "https://two.example/1"]),
        },
    )


def events(*, account: str = "37439510", latest: int = 6) -> st.SearchStrategy[Event]:
    """One event of one of three numbers, at one of a few instants."""
    return st.builds(
        lambda number, event_type, at, origin, attributes: an_event(
            number, event_type, at, account=account, origin=origin, **attributes
        ),
        number=st.sampled_from(["1", "2", "3"]),
        event_type=st.sampled_from(["Created", "Updated", "Updated", "Updated", "Deleted"]),
        at=st.integers(0, latest),
        origin=st.sampled_from(["notification"] * 4 + ["observation", "operator"]),
        attributes=_attributes(),
    )


def histories(**limits: int) -> st.SearchStrategy[list[Event]]:
    """Up to 25 events, in the order in which they arrive."""
    return st.lists(events(**limits), min_size=1, max_size=25)  # type: ignore[arg-type]


def cut(history: Sequence[Event], cuts: Sequence[int]) -> list[list[Event]]:
    """*history* in batches, cut at the given places."""
    edges = sorted({0, len(history), *(at % (len(history) + 1) for at in cuts)})
    return [list(history[a:b]) for a, b in pairwise(edges)]
