"""The simulator's sessions and numbers have the traps that RingCentral's have."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from inventory.simulator.platform import SESSIONS
from inventory.simulator.rest.numbers import BULK, MULTIPART_JSON, PER_PAGE
from tests.ringcentral.conftest import Simulated

PATH = "/restapi/v1.0/account/~/phone-number"
CHECK = "/restapi/v1.0/account/~/extension/~/authz-profile/check"


def code(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["errors"][0]["errorCode"]


def pages(http: httpx.Client, **query: Any) -> list[dict[str, Any]]:
    """The pages of a list, one after the other, as far as each says that there is a next."""
    found = [http.get(PATH, params=query).json()]
    while "nextPage" in found[-1]["navigation"]:
        assert len(found) < 100
        found.append(http.get(found[-1]["navigation"]["nextPage"]["uri"]).json())
    return found


@pytest.mark.parametrize("per_page", [1, 3, 7, 8, 100])
def test_the_pages_of_a_list_hold_each_number_once(
    simulated: Simulated, http: httpx.Client, per_page: int
) -> None:
    there = [simulated.platform.add()["id"] for _ in range(7)]
    found = pages(http, perPage=per_page, usageType="ContactCenterNumber")
    assert [number["id"] for page in found for number in page["records"]] == there
    for page in found:
        said = page["paging"]
        assert said["totalElements"] == 7
        assert said["totalPages"] == len(found) == -(-7 // per_page)
        assert said["pageEnd"] - said["pageStart"] + 1 == len(page["records"])
    last = urlsplit(found[0]["navigation"]["lastPage"]["uri"])
    assert parse_qs(last.query)["page"] == [str(len(found))]
    assert http.get(found[0]["navigation"]["lastPage"]["uri"]).json() == found[-1]
    assert "previousPage" not in found[0]["navigation"]


def test_a_page_is_lowered_to_a_thousand_without_a_word(
    simulated: Simulated, http: httpx.Client
) -> None:
    for _ in range(PER_PAGE + 1):
        simulated.platform.add()
    one, other = pages(http, perPage=5000)
    assert one["paging"]["perPage"] == len(one["records"]) == PER_PAGE
    assert len(other["records"]) == 1


def test_a_page_without_numbers_does_not_say_which_it_is(
    simulated: Simulated, http: httpx.Client
) -> None:
    simulated.platform.add()
    for query in ({"page": 2}, {"usageType": "ELIN"}):
        page = http.get(PATH, params=query).json()
        assert page["records"] == []
        assert not {"page", "pageStart", "pageEnd"} & set(page["paging"])


def test_a_filter_may_be_repeated_and_means_either(
    simulated: Simulated, http: httpx.Client
) -> None:
    usage_types = ["ContactCenterNumber", "DirectNumber", "CompanyNumber", "NumberPool"]
    for usage_type in usage_types:
        simulated.platform.add(usageType=usage_type, status="Pending")
    simulated.platform.add()

    def found(**query: Any) -> Counter[str]:
        return Counter(n["usageType"] for n in http.get(PATH, params=query).json()["records"])

    assert found(usageType=usage_types[:2]) == {usage_types[0]: 2, usage_types[1]: 1}
    assert found(usageType=usage_types[:2], status="Pending") == dict.fromkeys(usage_types[:2], 1)
    # The pool's are not listed, whether they are asked for or not.
    assert found(usageType="NumberPool") == {}
    assert sum(found().values()) == 4


@pytest.mark.parametrize("name", ["usageType", "paymentType", "status"])
def test_a_filter_of_no_known_value_is_refused(http: httpx.Client, name: str) -> None:
    refused = http.get(PATH, params={name: ["Normal", "contactcenternumber"]})
    assert code(refused) == (400, "CMN-101")
    assert refused.json()["parameterName"] == name


@pytest.mark.parametrize("value", ["0", "-1", "two", "", "1.0", "1001", "9" * 5000])
def test_a_page_that_cannot_be_is_refused(http: httpx.Client, value: str) -> None:
    assert code(http.get(PATH, params={"page": value})) == (400, "CMN-101")


def test_several_numbers_come_as_json_to_those_who_ask_for_it(
    simulated: Simulated, http: httpx.Client
) -> None:
    there = [simulated.platform.add() for _ in range(BULK - 1)]
    ids = ",".join([*(str(number["id"]) for number in there), "1"])
    parts = http.get(f"{PATH}/{ids}", headers={"accept": MULTIPART_JSON})
    assert parts.status_code == 207
    assert [part["resourceId"] for part in parts.json()] == ids.split(",")
    assert [part["body"] for part in parts.json()[:-1]] == there
    assert parts.json()[-1]["status"] == 404
    other = http.get(f"{PATH}/{ids}", headers={"accept": "application/json"})
    assert other.status_code == 207
    kind, _, boundary = other.headers["content-type"].partition("; boundary=")
    assert kind == "multipart/mixed"
    pieces = other.text.split(f"--{boundary}")
    assert pieces[-1] == "--"
    bodies = [json.loads(piece.partition("\r\n\r\n")[2]) for piece in pieces[1:-1]]
    assert [each["status"] for each in bodies[0]["response"]] == [200] * (BULK - 1) + [404]
    assert bodies[1:-1] == there
    assert code(http.get(f"{PATH}/{ids},2")) == (400, "CMN-106")


def test_whoever_has_lost_the_permission_is_told_of_an_empty_account(
    simulated: Simulated, http: httpx.Client
) -> None:
    platform = simulated.platform
    number, direct = platform.add(), platform.add(usageType="DirectNumber")

    def sees(permission: str) -> bool:
        return bool(http.get(CHECK, params={"permissionId": permission}).json()["successful"])

    assert sees("ReadCompanyPhoneNumbers")
    platform.faults.unprivileged = True
    assert not sees("ReadCompanyPhoneNumbers")
    assert sees("ReadSomethingElse")
    listed = http.get(PATH, params={"usageType": "ContactCenterNumber"})
    assert (listed.status_code, listed.json()["records"]) == (200, [])
    assert http.get(PATH).json()["records"] == [direct]
    assert code(http.get(f"{PATH}/{number['id']}")) == (404, "CMN-102")


def test_a_list_that_lacks_half_does_not_say_so(simulated: Simulated, http: httpx.Client) -> None:
    for _ in range(6):
        simulated.platform.add()
    simulated.platform.faults.partial_lists = True
    (page,) = pages(http)
    assert page["paging"]["totalElements"] == len(page["records"]) == 3


def test_a_further_session_ends_the_oldest(simulated: Simulated, http: httpx.Client) -> None:
    assert http.get(PATH).status_code == 200
    for _ in range(SESSIONS - 1):
        with simulated.http() as other:
            assert other.get(PATH).status_code == 200
    assert http.get(PATH).status_code == 200
    with simulated.http() as other:
        assert code(http.get(PATH)) == (401, "TokenInvalid")
        assert other.get(PATH).status_code == 200


def test_a_token_expires(simulated: Simulated) -> None:
    simulated.platform.token_life = 0
    with simulated.http() as http:
        assert code(http.get(PATH)) == (401, "TokenInvalid")


def test_a_login_is_refused_in_both_forms_at_once(simulated: Simulated) -> None:
    app = simulated.platform.application
    answers = {}
    for secret, jwt in (("wrong", app.jwt), (app.client_secret, "wrong")):
        answer = httpx.post(
            f"{simulated.url}/restapi/oauth/token",
            data={"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": jwt},
            auth=(app.client_id, secret),
            trust_env=False,
        )
        answers[answer.json()["error"]] = code(answer)
    assert answers == {"invalid_client": (401, "OAU-153"), "invalid_grant": (400, "OAU-251")}


def test_a_websocket_token_opens_one_and_no_more(http: httpx.Client) -> None:
    token = http.post("/restapi/oauth/wstoken").json()
    address = f"{token['uri']}?access_token={token['ws_access_token']}"
    with connect(address) as socket:
        assert json.loads(socket.recv(timeout=30))[0]["type"] == "ConnectionDetails"
    for spent in (address, token["uri"]):
        with connect(spent) as socket, pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=30)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4400
