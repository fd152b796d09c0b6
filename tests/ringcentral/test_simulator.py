"""The simulator answers as RingCentral's specification has it, and the product asks as it has it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
from websockets.sync.client import connect

from inventory.ringcentral import RingCentral
from inventory.simulator import Faults
from inventory.simulator.platform import Number, Platform
from inventory.simulator.rest import Rest
from inventory.simulator.rest.numbers import Numbers
from inventory.subscription import NUMBERS as FILTER
from inventory.subscription import REMINDER
from tests.ringcentral.conftest import Receiver, Simulated, far_limits, receiving, simulating
from tests.ringcentral.corrections import (
    NEVER_GIVEN,
    NEVER_GIVEN_BY,
    NUMBER,
    SUBSCRIBE,
    SUBSCRIPTIONS,
    TOKEN,
    WSTOKEN,
    Operation,
)
from tests.ringcentral.corrections import NUMBERS as LIST
from tests.ringcentral.defects import defects
from tests.ringcentral.exchanges import EXCHANGES, Exchange, Scene
from tests.ringcentral.extracts import FOLDER, Disagreement, Extracts, needed

pytestmark = needed


@pytest.fixture(scope="session")
def extracts() -> Extracts:
    return Extracts(Path(FOLDER or ""))


@pytest.fixture(scope="module")
def up() -> Iterator[tuple[Simulated, Receiver]]:
    """One for all tests: there are many, and each sets the scene anew."""
    with simulating(Platform(limits=far_limits())) as simulated, receiving() as receiver:
        yield simulated, receiver


@pytest.fixture
def scene(up: tuple[Simulated, Receiver]) -> Iterator[Scene]:
    simulated, receiver = up
    platform = simulated.platform
    platform.numbers.clear()
    platform.subscriptions.clear()
    platform.unserved_filters.clear()
    platform.faults, platform.limits, platform.told = Faults(), far_limits(), 0
    receiver.bodies.clear()
    with simulated.http() as http:
        yield Scene(simulated, http, receiver)


@pytest.mark.parametrize("exchange", EXCHANGES, ids=str)
def test_every_answer_is_as_specified_and_a_defect_anywhere_in_it_is_found(
    extracts: Extracts, scene: Scene, exchange: Exchange
) -> None:
    response = exchange.ask(scene)
    assert response.status_code == exchange.status
    assert response.headers["rcrequestid"]
    assert response.headers["x-rate-limit-group"]
    if exchange.status == 429:
        assert float(response.headers["retry-after"]) > 0
    if exchange.status == 204:
        assert response.content == b""
        return
    body = response.json()
    extracts.check(exchange.operation, exchange.status, body)
    planted = 0
    for what, defect in defects(body, exchange.status):
        planted += 1
        with pytest.raises(Disagreement):
            extracts.check(exchange.operation, exchange.status, defect)
            pytest.fail(f"{what} was not found")
    assert planted > 1


def test_every_operation_is_driven_in_every_status_it_can_give(
    extracts: Extracts, scene: Scene
) -> None:
    driven: dict[Operation, set[int]] = {}
    for exchange in EXCHANGES:
        driven.setdefault(exchange.operation, set()).add(exchange.status)
    offered = Rest(scene.simulated.platform, scene.simulated.simulator.delivery).operations
    assert {(each.method, each.path) for each in offered} == set(driven)
    for operation, statuses in driven.items():
        assert {429, 503} <= statuses
        assert operation == TOKEN or 401 in statuses
        missing = extracts.statuses(operation) - statuses - set(NEVER_GIVEN)
        assert missing == {s for (other, s) in NEVER_GIVEN_BY if other == operation}, operation


def test_a_defect_planted_in_the_simulator_is_found(
    extracts: Extracts, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def with_a_text_for_an_id(_: Numbers, id_: str) -> Number:
        return {**scene.simulated.platform.numbers[id_], "id": id_}

    (exchange,) = (each for each in EXCHANGES if each.what == "a number")
    driven = test_every_answer_is_as_specified_and_a_defect_anywhere_in_it_is_found
    driven(extracts, scene, exchange)
    monkeypatch.setattr(Numbers, "_number", with_a_text_for_an_id)
    with pytest.raises(Disagreement, match=r"id: '\d+' is not of type 'integer'"):
        driven(extracts, scene, exchange)


def test_what_was_recorded_passes_the_same_judgement(extracts: Extracts) -> None:
    recorded = json.loads(extracts.sample("subscription-list-blacklisted.json"))
    extracts.check(SUBSCRIPTIONS, 200, recorded)
    extracts.check(LIST, 200, json.loads(extracts.sample("synthetic-v1-phone-number-list.json")))
    _, subscription = json.loads(extracts.sample("synthetic-ws-create-subscription-response.json"))
    extracts.check(SUBSCRIBE, 200, subscription)
    extracts.check_parameter("subscription", "SubscriptionId", recorded["records"][0]["id"])
    parts = json.loads(extracts.sample("bulk-get-multipart-json.txt").partition("\n\n")[2])
    extracts.check(NUMBER, 404, parts[1]["body"])
    extracts.check_event(json.loads(extracts.sample("event-contact-center-phone-number.doc.json")))


def test_the_product_asks_as_specified(
    extracts: Extracts, client: RingCentral, simulated: Simulated, receiver: Receiver
) -> None:
    seen: list[tuple[Operation, int]] = []

    def check(response: httpx.Response) -> None:
        response.read()
        request = response.request
        operation = operation_of(simulated, request)
        seen.append((operation, response.status_code))
        if response.content:
            extracts.check(operation, response.status_code, response.json())
        if operation == TOKEN:
            extracts.check_request(operation, dict(parse_qsl(request.content.decode())))
        elif request.content:
            extracts.check_request(operation, json.loads(request.content))

    client._http.event_hooks["response"].append(check)
    account_id = client.account_id()
    assert client.may("ReadCompanyPhoneNumbers")
    assert client.phone_number(account_id, str(simulated.platform.add()["id"])) is not None
    assert client.phone_number(account_id, "1") is None
    created = client.create_subscription(
        [FILTER, REMINDER], address=receiver.url, token="s", expires_in=7_776_000
    )
    extracts.check_parameter("subscription", "SubscriptionId", created.id)
    assert [each.id for each in client.subscriptions()] == [created.id]
    client.renew_subscription(created.id)
    client.delete_subscription(created.id)
    client.delete_subscription(created.id)
    client.websocket_token()
    assert len(set(seen)) == 11


def operation_of(simulated: Simulated, request: httpx.Request) -> Operation:
    """What the specification calls *request*."""
    simulator = simulated.simulator
    for each in simulator.rest.operations:
        pattern = re.sub(r"\{\w+\}", "[^/]+", each.path)
        if each.method == request.method and re.fullmatch(pattern, request.url.path):
            return each.method, each.path
    raise AssertionError(request.url)


def everything_that_is_told(platform: Platform) -> None:
    """One notification of each kind."""
    for said in (True, False):
        number = platform.create(type="FaxOnly")
        platform.reassign_away(number, "DirectNumber", said=said)
        platform.convert(number, {"id": "7", "name": "Genesys Cloud"})
        platform.delete(number)


def test_what_webhooks_are_told_is_as_documented(extracts: Extracts, scene: Scene) -> None:
    simulated = scene.simulated
    scene.one()
    simulated.simulator.call(lambda: everything_that_is_told(simulated.platform))
    simulated.simulator.drain()
    documented = json.loads(extracts.sample("event-contact-center-phone-number.doc.json"))
    told = scene.receiver.told()
    assert len(told) == simulated.platform.told == 8
    for notification in told:
        judge(extracts, notification, documented)
    with pytest.raises(Disagreement):
        extracts.check_event({**told[0], "uuid": 7})
    with pytest.raises(Disagreement):
        extracts.check_event({**told[0], "body": {"eventType": "Created"}})


def judge(extracts: Extracts, notification: Any, documented: Any) -> None:
    extracts.check_event(notification)
    info = notification["body"]["phoneNumberInfo"]
    assert set(notification) == set(documented)
    assert set(notification["body"]) == set(documented["body"])
    assert set(info) >= set(documented["body"]["phoneNumberInfo"]) - {"contactCenterProvider"}
    assert isinstance(info["id"], str)
    assert info["type"] == "Fax"
    assert re.fullmatch("[0-9]{18,20}", notification["uuid"])
    filter_ = documented["event"].replace("{accountId}", "[0-9]+").replace("?", r"\?")
    assert re.fullmatch(filter_, notification["event"])


def test_what_a_websocket_says_is_as_documented(extracts: Extracts, scene: Scene) -> None:
    simulated = scene.simulated
    token = scene.ask(WSTOKEN).json()
    with connect(f"{token['uri']}?access_token={token['ws_access_token']}") as socket:
        sample = json.loads(extracts.sample("ws-connection-details.json"))
        meta, details = json.loads(socket.recv(timeout=30))
        assert (set(meta), set(details)) == (set(sample[0]), set(sample[1]))
        request, body = json.loads(extracts.sample("ws-subscription-request.json"))
        body["eventFilters"] = [FILTER]
        answers = []
        for filters in ([], [FILTER]):
            socket.send(json.dumps([request, {**body, "eventFilters": filters}]))
            answers.append(json.loads(socket.recv(timeout=30)))
        assert [meta["status"] for meta, _ in answers] == [400, 200]
        assert {meta["messageId"] for meta, _ in answers} == {request["messageId"]}
        extracts.check(SUBSCRIBE, 400, answers[0][1])
        extracts.check(SUBSCRIBE, 200, answers[1][1])
        assert answers[1][1]["uri"].startswith("/")
        simulated.simulator.call(lambda: everything_that_is_told(simulated.platform))
        sample = json.loads(extracts.sample("ws-websocket-notification.json"))
        for _ in range(8):
            meta, notification = json.loads(socket.recv(timeout=30))
            assert set(meta) >= set(sample[0])
            assert meta["messageId"] == notification["uuid"]
            documented = json.loads(extracts.sample("event-contact-center-phone-number.doc.json"))
            judge(extracts, notification, documented)
        heartbeat = json.loads(extracts.sample("ws-heart-beat-request.json"))
        socket.send(json.dumps(heartbeat))
        assert json.loads(socket.recv(timeout=30)) == heartbeat


def test_a_websocket_is_refused_one_subscription_too_many(extracts: Extracts, scene: Scene) -> None:
    platform = scene.simulated.platform
    scene.filled()
    token = scene.ask(WSTOKEN).json()
    with connect(f"{token['uri']}?access_token={token['ws_access_token']}") as socket:
        socket.recv(timeout=30)
        request, body = json.loads(extracts.sample("ws-subscription-request.json"))
        socket.send(json.dumps([request, {**body, "eventFilters": [FILTER]}]))
        meta, refusal = json.loads(socket.recv(timeout=30))
        assert meta["status"] == 403
        extracts.check(SUBSCRIBE, 403, refusal)
        del platform.subscriptions[next(iter(platform.subscriptions))]
        socket.send(json.dumps([request, {**body, "eventFilters": [FILTER]}]))
        meta, _ = json.loads(socket.recv(timeout=30))
        assert meta["status"] == 200
