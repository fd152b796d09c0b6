"""The simulator's subscriptions have the traps that RingCentral's have."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from inventory.simulator.platform import SUBSCRIPTION_LIMIT, Platform
from inventory.simulator.subscription import (
    LONGEST_TERM,
    USUAL_TERM,
    Reminder,
    Subscription,
    reminder_of,
)
from inventory.subscription import NUMBERS, REMINDER
from tests.ringcentral.conftest import Receiver, Simulated
from tests.waiting import until

PATH = "/restapi/v1.0/subscription"


def create(http: httpx.Client, receiver: Receiver, **changes: Any) -> httpx.Response:
    mode = {"transportType": "WebHook", "address": receiver.url, "verificationToken": "s3cret"}
    return http.post(PATH, json={"eventFilters": [NUMBERS], "deliveryMode": mode, **changes})


def created(http: httpx.Client, receiver: Receiver, **changes: Any) -> Any:
    answer = create(http, receiver, **changes)
    assert answer.status_code == 200, answer.text
    return answer.json()


def code(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["errors"][0]["errorCode"]


def lasts(answer: Any) -> int:
    """Seconds, as far as they have not passed meanwhile."""
    assert answer["expiresIn"] > 0
    return -(-int(answer["expiresIn"]) // 60) * 60


def test_the_address_is_asked_first_and_must_echo_what_it_is_asked(
    http: httpx.Client, receiver: Receiver
) -> None:
    answer = created(http, receiver)
    assert receiver.bodies == []
    assert "s3cret" not in str(answer)
    assert answer["deliveryMode"]["address"] == receiver.url


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        ({}, USUAL_TERM),
        ({"expiresIn": 3600}, 3600),
        ({"expiresIn": LONGEST_TERM * 2}, LONGEST_TERM),
        ({"within": 3600}, USUAL_TERM),
    ],
)
def test_how_long_it_lasts_is_said_at_the_top_and_lowered_without_a_word(
    http: httpx.Client, receiver: Receiver, asked: dict[str, int], seconds: int
) -> None:
    changes: dict[str, Any] = {k: v for k, v in asked.items() if k == "expiresIn"}
    if "within" in asked:
        mode = {"transportType": "WebHook", "address": receiver.url, "expiresIn": asked["within"]}
        changes["deliveryMode"] = mode
    answer = created(http, receiver, **changes)
    assert lasts(answer) == seconds
    assert lasts(http.get(f"{PATH}/{answer['id']}").json()) == seconds


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"eventFilters": []}, "SUB-508"),
        ({"eventFilters": None}, "SUB-508"),
        ({"eventFilters": [7]}, "SUB-508"),
        ({"eventFilters": ["account"]}, "SUB-508"),
        ({"eventFilters": [f"{PATH}/~?threshold=3601&interval=60"]}, "SUB-508"),
        ({"eventFilters": [f"{PATH}/~?threshold=3600&interval=1801"]}, "SUB-508"),
        ({"eventFilters": [f"{PATH}/~"]}, "SUB-508"),
        ({"expiresIn": 0}, "CMN-101"),
        ({"expiresIn": "7200"}, "CMN-101"),
        ({"expiresIn": True}, "CMN-101"),
        ({"deliveryMode": None}, "CMN-101"),
        ({"deliveryMode": {"transportType": "WebSocket"}}, "CMN-101"),
        ({"deliveryMode": {"transportType": "WebHook"}}, "CMN-101"),
        ({"deliveryMode": {"transportType": "WebHook", "address": "http://["}}, "CMN-101"),
        ({"deliveryMode": {"transportType": "WebHook", "address": "http://a:b/"}}, "CMN-101"),
        ({"deliveryMode": {"transportType": "WebHook", "address": "ftp://x/"}}, "CMN-101"),
    ],
)
def test_what_makes_no_sense_is_refused(
    http: httpx.Client, receiver: Receiver, changes: dict[str, Any], refusal: str
) -> None:
    assert code(create(http, receiver, **{"expiresIn": 7200, **changes})) == (400, refusal)
    assert http.get(PATH).json()["records"] == []


def test_filters_come_back_with_ids_and_in_whatever_order(
    http: httpx.Client, receiver: Receiver, simulated: Simulated
) -> None:
    filters = [NUMBERS, REMINDER, *(f"/restapi/v1.0/account/~/{n}" for n in range(6))]
    asked = {"eventFilters": filters, "expiresIn": 7_776_000}
    shown = [created(http, receiver, **asked)["eventFilters"] for _ in range(8)]
    account = simulated.platform.account_id
    for each in shown:
        assert {f.replace(f"/account/{account}", "/account/~") for f in each} == set(filters)
        assert REMINDER in each
    assert len({tuple(each) for each in shown}) > 1


def test_one_more_than_thirty_is_refused_until_one_has_expired(
    http: httpx.Client, receiver: Receiver, simulated: Simulated
) -> None:
    ids = [created(http, receiver)["id"] for _ in range(SUBSCRIPTION_LIMIT)]
    assert code(create(http, receiver)) == (403, "SUB-505")
    simulated.platform.subscriptions[ids[0]].expires = datetime.now(UTC)
    created(http, receiver)
    assert code(create(http, receiver)) == (403, "SUB-505")


def test_what_has_expired_is_gone(
    http: httpx.Client, receiver: Receiver, simulated: Simulated
) -> None:
    id_ = created(http, receiver)["id"]
    simulated.platform.subscriptions[id_].expires = datetime.now(UTC)
    assert http.get(PATH).json()["records"] == []
    for method, path in (
        *(("GET", id_), ("PUT", id_), ("DELETE", id_)),
        ("POST", f"{id_}/renew"),
    ):
        assert code(http.request(method, f"{PATH}/{path}")) == (404, "SUB-507")
    simulated.simulator.call(simulated.platform.create)
    simulated.simulator.drain()
    assert receiver.bodies == []


def test_a_renewal_keeps_the_term_and_an_empty_update_makes_it_seven_days(
    http: httpx.Client, receiver: Receiver, simulated: Simulated
) -> None:
    id_ = created(http, receiver, expiresIn=7200)["id"]
    simulated.platform.subscriptions[id_].expires = datetime.now(UTC) + timedelta(seconds=60)
    assert lasts(http.get(f"{PATH}/{id_}").json()) == 60
    assert lasts(http.post(f"{PATH}/{id_}/renew").json()) == 7200
    assert lasts(http.put(f"{PATH}/{id_}").json()) == USUAL_TERM
    assert lasts(http.post(f"{PATH}/{id_}/renew").json()) == USUAL_TERM


def test_an_update_honours_filters_and_term_and_nothing_else(
    http: httpx.Client, receiver: Receiver, simulated: Simulated
) -> None:
    before = created(http, receiver)
    elsewhere = {"transportType": "WebHook", "address": "http://x/", "verificationToken": "other"}
    asked = {"deliveryMode": elsewhere, "status": "Blacklisted", "expiresIn": 3600}
    path = f"{PATH}/{before['id']}"
    after = http.put(path, json=asked).json()
    assert lasts(after) == 3600
    changed = {"expiresIn", "expirationTime"}
    assert {k: v for k, v in after.items() if k not in changed} == {
        k: v for k, v in before.items() if k not in changed
    }
    assert simulated.platform.subscriptions[before["id"]].verification_token == "s3cret"
    asked = {"eventFilters": ["/restapi/v1.0/account/~/extension"]}
    after = http.put(path, json=asked).json()
    assert [f.endswith("/extension") for f in after["eventFilters"]] == [True]
    assert lasts(after) == USUAL_TERM
    simulated.simulator.call(simulated.platform.create)
    simulated.simulator.drain()
    assert receiver.bodies == []
    assert code(http.put(path, content=b"[]")) == (400, "CMN-101")


def test_a_subscription_over_a_websocket_cannot_be_updated_here(
    http: httpx.Client, simulated: Simulated
) -> None:
    made = simulated.platform.subscribe(
        [NUMBERS], transport="WebSocket", address=None, verification_token=None, expires_in=60
    )
    assert made.term == 86_399
    assert code(http.put(f"{PATH}/{made.id}")) == (400, "CMN-101")


def test_whoever_fails_for_long_is_blacklisted_and_told_nothing_more(
    http: httpx.Client, receiver: Receiver, simulated: Simulated
) -> None:
    platform, path = simulated.platform, f"{PATH}/{created(http, receiver)['id']}"
    (subscription,) = platform.subscriptions.values()

    def deliver(status: int) -> str:
        receiver.status = status
        simulated.simulator.call(platform.create)
        simulated.simulator.drain()
        return str(http.get(path).json()["status"])

    def failing_for(minutes: int) -> None:
        assert subscription.failing_since is not None
        subscription.failing_since = datetime.now(UTC) - timedelta(minutes=minutes)

    assert deliver(503) == "Active"
    failing_for(9)
    assert deliver(503) == "Active"
    failing_for(11)
    assert deliver(200) == "Active"  # it has mended
    assert subscription.failing_since is None
    assert deliver(404) == "Active"
    failing_for(11)
    assert deliver(404) == "Blacklisted"
    why = http.get(path).json()["blacklistedData"]
    assert why["reason"] == "Webhook responses with code: [404], reason: [Not Found]"
    heard = len(receiver.bodies)
    assert deliver(200) == "Blacklisted"
    assert len(receiver.bodies) == heard


def test_a_disabled_filter_is_said_to_be_and_tells_nothing(
    http: httpx.Client, receiver: Receiver, simulated: Simulated
) -> None:
    simulated.platform.unserved_filters.add(NUMBERS)
    answer = created(http, receiver)
    assert answer["status"] == "Active"
    assert [each["filter"] for each in answer["disabledFilters"]] == answer["eventFilters"]
    simulated.simulator.call(simulated.platform.create)
    simulated.simulator.drain()
    assert receiver.bodies == []


def test_reminders_come_by_themselves_once_the_threshold_is_passed(
    http: httpx.Client, receiver: Receiver, simulated: Simulated
) -> None:
    for filters in ([NUMBERS, REMINDER], [NUMBERS]):
        created(http, receiver, eventFilters=filters, expiresIn=7_776_000)
    for subscription in simulated.platform.subscriptions.values():
        subscription.expires = datetime.now(UTC) + timedelta(days=4)
    until(lambda: receiver.bodies)
    simulated.simulator.drain()
    (told,) = receiver.told()
    assert told["event"] == REMINDER  # literally, with its tilde
    assert told["subscriptionId"] == next(iter(simulated.platform.subscriptions))
    assert 0 <= 4 * 86_400 - told["body"]["expiresIn"] < 60


def test_reminders_are_due_from_the_threshold_on_each_interval() -> None:
    now = datetime.now(UTC)
    filters = [f"{PATH}/~?threshold=60&interval=15"]
    subscription = Subscription("1", "WebHook", filters, now, now + timedelta(seconds=200), 200)
    due = [s for s in range(200) if subscription.due(now + timedelta(seconds=s))]
    assert due == [140, 155, 170, 185]


def test_what_is_blacklisted_is_not_reminded(receiver: Receiver) -> None:
    platform = Platform()
    told: list[bytes] = []
    platform.tell = lambda _subscription, payload: told.append(payload)
    for _ in range(2):
        platform.subscribe(
            [REMINDER], transport="WebHook", address=receiver.url, verification_token=None,
            expires_in=60,
        )  # fmt: skip
    platform.blacklist(next(iter(platform.subscriptions.values())), "for nothing")
    platform.remind()
    assert len(told) == 1


def test_a_reminder_filter_says_when() -> None:
    assert reminder_of(REMINDER) == Reminder(432_000, 86_400)
    assert reminder_of(NUMBERS) is None
