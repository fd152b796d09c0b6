"""
Sample histories: notifications as RingCentral sends them, made up, the same for the same seed.

`demo_history` is small and full of everything that happens; `history` is bulk for measurements.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

DOCUMENTED_ACCOUNT = "37439510"
DEMO_NUMBER = "+12024999741"
"""The number of the documented notification; in the demo it has a life after it."""

_CONTACT_CENTER = "ContactCenterNumber"
_PROVIDERS = (
    ("1", "InContact/North America"),
    ("1", "In-Contact NA"),  # the same provider: RingCentral spells it both ways
    ("2", "InContact/Europe"),
    ("7", "Five9"),
    ("12345", "ProviderName"),
)
_PLACES = ("Washington, DC", "San José, CA", "Montréal, QC", "Austin, TX", "Zürich", None)
_AREAS = (202, 303, 415, 512, 617, 808)


def documented_notification() -> dict[str, Any]:
    """The example of RingCentral's developer guide, *Contact Center Phone Number Event*."""
    account, number = DOCUMENTED_ACCOUNT, "987654321"
    return {
        "uuid": "ed1cf00c-0420-4bf5-a0ae-e659cc9f77e0",
        "event": "/restapi/v1.0/account/{accountId}/phone-number?usageType=ContactCenterNumber",
        "timestamp": "2013-06-14T12:00:00.000Z",
        "subscriptionId": "9d38419f-645f-4ee3-a053-8cf1368c21c4",
        "ownerId": "8475874957",
        "body": {
            "eventType": "Created",
            "phoneNumberInfo": {
                "uri": _uri(account, number),
                "id": number,
                "phoneNumber": DEMO_NUMBER,
                "paymentType": "Local",
                "location": "Washington, DC",
                "type": "VoiceFax",
                "usageType": _CONTACT_CENTER,
                "status": "Normal",
                "contactCenterProvider": {"id": "12345", "name": "ProviderName"},
            },
        },
    }


def demo_history(seed: int = 1) -> Iterator[bytes]:
    """
    Some months of three accounts, a notification at a time, in the order of their delivery.

    Numbers are created, converted, moved between providers, changed, reassigned away, deleted and
    ported. Some notifications come late, some twice, some under two subscriptions; some are junk.
    """
    random = Random(seed)  # noqa: S311 - a sample, not a secret
    deliveries: list[tuple[datetime, bytes]] = []
    for account, first in ((DOCUMENTED_ACCOUNT, 0), ("400131021", 1), ("1120774004", 2)):
        life = _Account(account, f"{random.randrange(10**8, 10**9)}-sub", random)
        for at in range(30):
            serial = first * 30 + at
            area, line = _AREAS[serial % len(_AREAS)], 100 + serial // len(_AREAS)
            life.number(str(500000000 + serial * 7919), f"+1{area}555{line:04d}")
        if account == DOCUMENTED_ACCOUNT:
            life.documented_number()
        deliveries += life.deliveries
    again = random.sample(deliveries, 25)
    deliveries += [(at + timedelta(days=random.randrange(1, 40)), sent) for at, sent in again]
    deliveries += _junk(deliveries[0][1])
    deliveries.sort(key=lambda delivery: delivery[0])
    for _, sent in deliveries:
        yield sent


class _Account:
    """One account's notifications in the making."""

    def __init__(self, account: str, subscription: str, random: Random) -> None:
        self.account = account
        self.deliveries: list[tuple[datetime, bytes]] = []
        self._subscription = subscription
        self._random = random

    def number(self, number: str, phone_number: str) -> None:
        """The whole life of one number."""
        random = self._random
        at = datetime(2026, 1, 5, tzinfo=UTC) + timedelta(minutes=random.randrange(60 * 24 * 90))
        info = self._info(number, phone_number)
        self._send(random.choice(("Created", "Created", "Updated")), info, at)
        for _ in range(random.randrange(1, 6)):
            at += timedelta(minutes=random.randrange(60, 60 * 24 * 40))
            match random.randrange(7):
                case 0 | 1:
                    provider = random.choice(_PROVIDERS)
                    info["contactCenterProvider"] = {"id": provider[0], "name": provider[1]}
                    self._send("Updated", info, at)
                case 2:
                    info["status"] = "Normal"
                    info["location"] = random.choice(_PLACES)
                    self._send("Updated", info, at)
                case 3:
                    self._send("Updated", info, at)  # changes nothing: was it a farewell?
                case 4:
                    away = info | {"usageType": random.choice(("DirectNumber", "CompanyNumber"))}
                    self._send("Updated", away, at)
                    if random.random() < 0.5:
                        self._send("Updated", info, at + timedelta(days=3, minutes=11))
                        at += timedelta(days=4)
                case 5:
                    self._send("Deleted", info, at)
                    if random.random() < 0.5:  # ported: the same number under another id
                        ported = str(int(number) + 1)
                        self._send(
                            "Created",
                            info | {"id": ported, "uri": _uri(self.account, ported)},
                            at + timedelta(hours=2),
                        )
                    return
                case _:
                    info["type"] = random.choice(("Voice", "Fax", "VoiceFax"))
                    self._send("Updated", info, at)

    def documented_number(self) -> None:
        """The documented notification, and what became of its number."""
        sent = documented_notification()
        info = sent["body"]["phoneNumberInfo"]
        self.deliveries.append((datetime(2026, 1, 4, tzinfo=UTC), _line(sent)))
        moved = info | {"contactCenterProvider": {"id": "7", "name": "Five9"}}
        away = moved | {"usageType": "DirectNumber"}
        for event_type, info_, month, late in (
            ("Updated", moved, 3, 0),
            ("Updated", away, 5, 0),
            ("Updated", moved, 6, 0),
            ("Updated", moved | {"location": "Arlington, VA"}, 4, 45),
            ("Updated", moved, 8, 0),
        ):
            at = datetime(2026, month, 14, 9, 30, 0, 125000, tzinfo=UTC)
            self._send(event_type, info_, at, late=timedelta(days=late))

    def _info(self, number: str, phone_number: str) -> dict[str, Any]:
        random = self._random
        info: dict[str, Any] = {
            "uri": _uri(self.account, number),
            "id": number,
            "phoneNumber": phone_number,
            "paymentType": random.choice(("Local", "Local", "TollFree")),
            "location": random.choice(_PLACES),
            "type": random.choice(("Voice", "VoiceFax", "VoiceFax")),
            "usageType": _CONTACT_CENTER,
            "status": random.choice(("Normal", "Normal", "Pending")),
        }
        if random.random() < 0.9:
            provider = random.choice(_PROVIDERS)
            info["contactCenterProvider"] = {"id": provider[0], "name": provider[1]}
        return info

    def _send(
        self,
        event_type: str,
        info: dict[str, Any],
        at: datetime,
        *,
        late: timedelta = timedelta(0),
    ) -> None:
        random = self._random
        if not late and random.random() < 0.06:
            late = timedelta(hours=random.randrange(5, 24 * 20))
        copies = 2 if random.random() < 0.05 else 1  # two subscriptions, two uuids
        for copy in range(copies):
            sent: dict[str, Any] = {
                "uuid": _uuid(random),
                "event": f"/restapi/v1.0/account/{self.account}/phone-number"
                "?usageType=ContactCenterNumber",
                "timestamp": _spelled(at, random),
                "subscriptionId": f"{self._subscription}-{copy}",
                "ownerId": "8475874957",
                "body": {"eventType": event_type, "phoneNumberInfo": dict(info)},
            }
            if random.random() < 0.1:
                sent["body"]["phoneNumberInfo"]["id"] = int(info["id"])
            if random.random() < 0.1:
                sent["body"]["phoneNumberInfo"]["label"] = "Front desk"  # unknown to the guide
            self.deliveries.append((at + late + timedelta(seconds=2 + copy), _line(sent)))


def _junk(genuine: bytes) -> Iterator[tuple[datetime, bytes]]:
    """What else arrives at an address on the internet, and what RingCentral gets wrong."""
    sent = json.loads(genuine)
    info = sent["body"]["phoneNumberInfo"]

    def altered(**changes: Any) -> bytes:
        return _line(sent | {"uuid": _uuid(random)} | changes)

    random = Random(0)  # noqa: S311 - a sample, not a secret
    body = {"eventType": "Updated", "phoneNumberInfo": info}
    junk = (
        genuine[: len(genuine) // 2],
        b"<html><body>502 Bad Gateway</body></html>",
        b'"pong"',
        altered(event="/restapi/v1.0/account/37439510/extension/297277020/message-store"),
        altered(event="/restapi/v1.0/subscription/~?threshold=432000&interval=86400"),
        altered(body=body | {"eventType": "Renamed"}),
        altered(body=body | {"phoneNumberInfo": {k: v for k, v in info.items() if k != "id"}}),
        altered(body=body | {"phoneNumberInfo": info | {"uri": _uri("99999999", info["id"])}}),
        altered(timestamp="2099-01-01T00:00:00.000Z"),
        altered(timestamp="yesterday"),
        _line(sent | {"body": {"eventType": "Deleted", "phoneNumberInfo": info}}),  # uuid is taken
    )
    for at, item in enumerate(junk):
        yield datetime(2026, 9, 1 + at, tzinfo=UTC), item


def history(
    *,
    events: int,
    numbers: int,
    accounts: int = 1,
    seed: int = 1,
    late: float = 0.01,
    repeated: float = 0.0,
) -> Iterator[bytes]:
    """
    Bulk: so many *events* over so many *numbers* in each of so many *accounts*.

    Numbers live, move and die. A share of the lines is delivered *late*, an older instant behind
    younger ones; a share of them is *repeated*, byte for byte. Memory grows with the numbers alone.
    Ends before 2026-11-01 however many events there are.
    """
    random = Random(seed)  # noqa: S311 - a sample, not a secret
    chance, pick = random.random, random.randrange
    start, span = 1704067200.0, 89 * 10**6  # 2024-01-01, and about 1,030 days in seconds
    total = numbers * accounts
    alive = bytearray(total)
    provider = bytearray(total)
    recent: deque[bytes] = deque(maxlen=1000)
    day, date = -1, ""
    for serial in range(events):
        if repeated and recent and chance() < repeated:
            yield recent[pick(len(recent))]
            continue
        which = pick(total)
        seconds = start + span * serial / events
        if late and chance() < late:
            seconds -= 86400 * 30 * chance()
        draw = chance()
        usage_type, status, event_type = _CONTACT_CENTER, "Normal", "Updated"
        if not alive[which]:
            alive[which] = 1
            provider[which] = pick(5)
            event_type = "Created" if draw < 0.7 else "Updated"
        elif draw < 0.08:
            alive[which] = 0
            event_type = "Deleted"
        elif draw < 0.16:
            alive[which] = 0
            usage_type = "DirectNumber"
        elif draw < 0.30:
            status = "Pending"
        elif draw < 0.90:
            provider[which] = (provider[which] + 1) % 5
        today = int(seconds // 86400)
        if today != day:
            day, date = today, datetime.fromtimestamp(today * 86400, UTC).strftime("%Y-%m-%d")
        milliseconds = int(seconds * 1000) % 86400000
        account = 400000001 + which // numbers
        number = 700000000 + which
        line = _TEMPLATE % (
            # A bijection on 63 bits: unique, and in no order.
            1000000000000000000 + (serial * 7046029254386353131 + seed) % 0x7FFFFFFFFFFFFFFF,
            account,
            date,
            milliseconds // 3600000,
            milliseconds // 60000 % 60,
            milliseconds // 1000 % 60,
            milliseconds % 1000,
            event_type,
            account,
            number,
            number,
            which,
            usage_type,
            status,
            provider[which],
            provider[which],
        )
        encoded = line.encode()
        if repeated:
            recent.append(encoded)
        yield encoded


_TEMPLATE = (
    '{"uuid":"%d",'
    '"event":"/restapi/v1.0/account/%d/phone-number?usageType=ContactCenterNumber",'
    '"timestamp":"%sT%02d:%02d:%02d.%03dZ",'
    '"subscriptionId":"9d38419f-645f-4ee3-a053-8cf1368c21c4","ownerId":"8475874957",'
    '"body":{"eventType":"%s","phoneNumberInfo":{'
    '"uri":"https://platform.ringcentral.com/restapi/v1.0/account/%d/phone-number/%d",'
    '"id":"%d","phoneNumber":"+1%010d","paymentType":"Local","location":"Washington, DC",'
    '"type":"VoiceFax","usageType":"%s","status":"%s",'
    '"contactCenterProvider":{"id":"%d","name":"Provider %d"}}}}'
)


def _uri(account: str, number: str) -> str:
    return f"https://platform.ringcentral.com/restapi/v1.0/account/{account}/phone-number/{number}"


def _uuid(random: Random) -> str:
    """Mostly 18 to 20 decimal digits, as recorded; at times RFC 4122, as documented."""
    if random.random() < 0.2:
        digits = f"{random.getrandbits(128):032x}"
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
    return str(random.randrange(10**17, 10**20))


def _spelled(at: datetime, random: Random) -> str:
    """*at*, with its zone in one of the ways that occur, or without one."""
    text = at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}"
    return text + random.choice(("Z", "Z", "Z", "+0000", "+00:00", ""))


def _line(sent: dict[str, Any]) -> bytes:
    return json.dumps(sent, ensure_ascii=False).encode()
