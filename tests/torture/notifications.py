"""What is sent: notifications of numbers that live, move and die, and what does not belong there."""

from __future__ import annotations

import json
from collections import deque
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, NamedTuple

from inventory.notification import Reason

ACCOUNTS = ("400000001", "400000002", "400000003", "400000004")
NUMBERS = 400
"""In each account: few enough that each has a life."""
START = datetime(2024, 1, 1, tzinfo=UTC)
"""Far enough behind us that no clock that is moved makes a future of it."""
MEMORY = 5_000
"""Notifications that may be sent once more."""

Key = tuple[str, str, str]
"""Account, number, uuid."""


class Item(NamedTuple):
    """A notification, and what has to become of it."""

    payload: bytes
    key: Key | None
    """Null: it can never be an event."""
    reason: Reason | None
    """Why it must be in quarantine; null: it belongs into the log."""


class Notifications:
    """
    Notifications without end, the same for the same seed.

    Each is told about when it happens, late, behind younger ones, or time and again; some are told
    in other words, and few claim the uuid of another.
    """

    def __init__(self, seed: str) -> None:
        self._random = Random(seed)
        self._serial = 0
        self._alive: set[tuple[str, str]] = set()
        self._held_back: list[Item] = []
        self._sent: deque[Item] = deque(maxlen=MEMORY)

    def next(self) -> Item:
        item = self._choose()
        self._sent.append(item)
        return item

    def _choose(self) -> Item:
        random = self._random
        draw = random.random()
        if self._sent and draw < 0.06:
            return random.choice(self._sent)
        if self._sent and draw < 0.08:
            return respelled(random.choice(self._sent))
        if self._sent and draw < 0.09:
            return self._rival(random.choice(self._sent))
        if draw < 0.11:
            return self._junk()
        while random.random() < 0.1:
            self._held_back.append(self._event())
        if self._held_back and random.random() < 0.1:
            return self._held_back.pop(random.randrange(len(self._held_back)))
        return self._event()

    def _event(self) -> Item:
        sent = self._notification()
        return _item(sent)

    def _notification(self) -> dict[str, Any]:
        random = self._random
        self._serial += 1
        account = random.choice(ACCOUNTS)
        number = str(700000000 + random.randrange(NUMBERS))
        at = START + timedelta(milliseconds=500 * self._serial)
        if random.random() < 0.05:
            at -= timedelta(seconds=random.randrange(86_400))
        usage_type, draw = "ContactCenterNumber", random.random()
        if (account, number) not in self._alive:
            event_type = random.choice(("Created", "Created", "Updated"))
            self._alive.add((account, number))
        elif draw < 0.1:
            event_type = "Deleted"
            self._alive.discard((account, number))
        else:
            event_type = "Updated"
            if draw < 0.2:
                usage_type = "DirectNumber"
        uri = f"https://platform.ringcentral.com/restapi/v1.0/account/{account}/phone-number/"
        return {
            "uuid": str(10**18 + random.randrange(10**18)),
            "event": f"/restapi/v1.0/account/{account}/phone-number?usageType=ContactCenterNumber",
            "timestamp": at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z",
            "subscriptionId": "9d38419f-645f-4ee3-a053-8cf1368c21c4",
            "ownerId": "8475874957",
            "body": {
                "eventType": event_type,
                "phoneNumberInfo": {
                    "uri": uri + number,
                    "id": number,
                    "phoneNumber": f"+1202{int(number) % 10**7:07d}",
                    "paymentType": random.choice(("Local", "TollFree")),
                    "location": random.choice(("Austin, TX", "Montréal, QC", "Zürich")),
                    "type": random.choice(("Voice", "VoiceFax")),
                    "usageType": usage_type,
                    "status": random.choice(("Normal", "Normal", "Pending")),
                    "contactCenterProvider": {
                        "id": str(random.randrange(1, 4)),
                        "name": random.choice(("InContact", "Five9")),
                    },
                },
            },
        }

    def _rival(self, item: Item) -> Item:
        """The same uuid of the same number with other content: one of them is in the log at most."""
        if item.key is None:
            return item
        sent = json.loads(item.payload)
        sent["body"]["phoneNumberInfo"]["location"] = f"elsewhere {self._random.randrange(10**6)}"
        return _item(sent)

    def _junk(self) -> Item:
        random = self._random
        sent = self._notification()
        payload = _line(sent)
        info = sent["body"]["phoneNumberInfo"]
        reason: Reason
        match random.randrange(6):
            case 0:
                # In a file, spaces at the end of a line are nobody's.
                return Item(payload[: -random.randrange(2, 200)].rstrip(), None, "invalid_json")
            case 1:
                reason, sent["event"] = "unrelated_event", "/restapi/v1.0/account/1/extension/2"
            case 2:
                reason, sent["body"]["eventType"] = "unknown_event_type", "Renamed"
            case 3:
                reason, sent["timestamp"] = "timestamp_in_future", "2099-01-01T00:00:00.000Z"
            case 4:
                reason, info["uri"] = "account_mismatch", info["uri"].replace("/4", "/9")
            case _:
                reason = "invalid_notification"
                del info["id"]
        return Item(_line(sent), None, reason)


def respelled(item: Item) -> Item:
    """The same content in other bytes."""
    if item.key is None:
        return item
    sent = json.loads(item.payload)
    return item._replace(payload=json.dumps(sent, ensure_ascii=True, indent=1).encode())


def _item(sent: dict[str, Any]) -> Item:
    account = sent["event"].split("/")[4]
    return Item(_line(sent), (account, sent["body"]["phoneNumberInfo"]["id"], sent["uuid"]), None)


def _line(sent: dict[str, Any]) -> bytes:
    return json.dumps(sent, ensure_ascii=False).encode()
