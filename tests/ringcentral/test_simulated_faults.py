"""The simulator does wrong what it is told to, as often as it is told to."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable

import httpx
import pytest

from inventory.simulator import Churn, Limits, Platform, limits
from inventory.simulator.platform import CONTACT_CENTER
from inventory.subscription import NUMBERS
from tests.ringcentral.conftest import Receiver, Simulated

PATH = "/restapi/v1.0/subscription"


@pytest.fixture
def tell(simulated: Simulated, receiver: Receiver) -> Callable[[int], None]:
    """Makes so many numbers, and comes back when all of it is delivered."""
    platform = simulated.platform
    platform.subscribe(
        [NUMBERS],
        transport="WebHook",
        address=receiver.url,
        verification_token="s3cret",
        expires_in=9000,
    )

    def tell(numbers: int) -> None:
        simulated.simulator.call(lambda: [platform.create() for _ in range(numbers)])
        simulated.simulator.drain()

    return tell


def numbers(receiver: Receiver) -> list[int]:
    return [int(told["body"]["phoneNumberInfo"]["id"]) for told in receiver.told()]


def test_without_faults_each_is_delivered_once_with_its_token(
    receiver: Receiver, tell: Callable[[int], None]
) -> None:
    tell(5)
    assert len(receiver.bodies) == len(set(numbers(receiver))) == 5
    for request in receiver.requests:
        assert request.headers["verification-token"] == "s3cret"
        assert request.headers["content-type"].startswith("application/json")


def test_a_dropped_one_never_comes(
    simulated: Simulated, receiver: Receiver, tell: Callable[[int], None]
) -> None:
    simulated.platform.faults.drop = 1.0
    tell(3)
    assert receiver.bodies == []
    assert simulated.simulator.delivery.dropped == simulated.platform.told == 3


def test_a_duplicate_comes_twice_byte_for_byte(
    simulated: Simulated, receiver: Receiver, tell: Callable[[int], None]
) -> None:
    simulated.platform.faults.duplicate = 1.0
    tell(3)
    assert set(Counter(receiver.bodies).values()) == {2}
    assert simulated.simulator.delivery.duplicated == 3


def test_a_broken_copy_comes_before_the_whole(
    simulated: Simulated, receiver: Receiver, tell: Callable[[int], None]
) -> None:
    simulated.platform.faults.corrupt = 1.0
    tell(1)
    broken, whole = receiver.bodies
    assert whole.startswith(broken)
    assert json.loads(whole)
    with pytest.raises(ValueError, match=r"line 1"):
        json.loads(broken)
    assert simulated.simulator.delivery.corrupted == 1


def test_what_is_delayed_is_overtaken(
    simulated: Simulated, receiver: Receiver, tell: Callable[[int], None]
) -> None:
    simulated.platform.faults.delay = 0.5
    simulated.platform.faults.delay_seconds = 0.3
    tell(20)
    assert numbers(receiver) != sorted(numbers(receiver))
    assert len(set(numbers(receiver))) == 20
    sent = [told["timestamp"] for told in sorted(receiver.told(), key=lambda t: int(t["uuid"]))]
    assert len(set(sent)) == 20  # no two were sent at the same instant


def test_a_slow_answer_keeps_one_waiting(simulated: Simulated, http: httpx.Client) -> None:
    simulated.platform.faults.slow = 1.0
    simulated.platform.faults.slow_seconds = 1.0
    with pytest.raises(httpx.ReadTimeout):
        for _ in range(100):
            http.get(PATH, timeout=0.1)


def test_faults_can_be_changed_as_it_runs(simulated: Simulated) -> None:
    with httpx.Client(base_url=simulated.url, trust_env=False) as http:
        assert http.put("/simulator/faults", json={"drop": 0.5}).json()["drop"] == 0.5
        assert http.put("/simulator/faults", json={"duplicate": 1}).json()["drop"] == 0.5
        for wrong in ('{"drop": 2}', '{"dorp": 0.1}', "[]", "{"):
            assert http.put("/simulator/faults", content=wrong).status_code == 422
        assert simulated.platform.faults.duplicate == 1
        assert http.post("/simulator/changes?count=3").json()["told"] == 3
        assert http.post("/simulator/changes?count=some").status_code == 422
        assert http.get("/simulator").json()["faults"]["drop"] == 0.5


class Clock:
    """Time that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    it = Clock()
    monkeypatch.setattr(limits, "time", it)
    return it


def test_a_minute_slides(clock: Clock) -> None:
    it = Limits({"light": 2}, window=60, penalty=10)
    passed = []
    for second in (0, 50, 70, 90, 111, 112):
        clock.now = 1000.0 + second
        passed.append(it.judge("light").allowed)
    # At 70 the one of 0 has left the minute; at 90 those of 50 and 70 are in it.
    assert passed == [True, True, True, False, True, False]


def test_whoever_asks_during_the_penalty_begins_it_anew(clock: Clock) -> None:
    it = Limits({"light": 1}, window=1, penalty=60)
    assert it.judge("light").headers["X-Rate-Limit-Remaining"] == "0"
    refused = it.judge("light")
    assert not refused.allowed
    assert refused.headers["Retry-After"] == "60"
    for _ in range(5):
        clock.now += 59
        assert not it.judge("light").allowed
    assert it.restarted == 5
    clock.now += 60
    assert it.judge("light").allowed


def test_each_group_has_a_budget_of_its_own(clock: Clock) -> None:
    it = Limits({"light": 1, "heavy": 1})
    assert clock.now
    assert it.judge("light").allowed
    assert it.judge("heavy").allowed
    assert not it.judge("light").allowed


def test_what_happens_in_an_account_is_told_unless_it_is_silent() -> None:
    platform = Platform(seed=7)
    told: list[dict[str, object]] = []
    platform.tell = lambda _, payload: told.append(json.loads(payload)["body"])
    platform.subscribe(
        [NUMBERS], transport="WebHook", address="http://x/", verification_token=None,
        expires_in=9000,
    )  # fmt: skip
    churn = Churn(platform)
    churn.populate(20)
    assert told == []
    for _ in range(300):
        churn.step()
    kinds = Counter(str(body["eventType"]) for body in told)
    assert churn.changes == platform.told == len(told) == 300
    assert min(kinds["Created"], kinds["Updated"], kinds["Deleted"]) > 20
    # Half of those that leave do not say so.
    away = [
        body for body in told if CONTACT_CENTER not in str(body) and body["eventType"] == "Updated"
    ]
    assert 20 < len(away) < kinds["Updated"] / 2
    silent = Churn(platform, silent=1.0)
    for _ in range(20):
        silent.step()
    assert len(told) == 300
