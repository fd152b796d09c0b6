from __future__ import annotations

import json
import logging
import traceback
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import stamina
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from inventory.cli.listening import served
from inventory.redaction import redact
from inventory.ringcentral import (
    Denied,
    Refused,
    RingCentral,
    RingCentralError,
    Unavailable,
)
from inventory.simulator import Limits, Platform
from tests.ringcentral.conftest import Simulated, simulating


@pytest.fixture(autouse=True)
def _hasty() -> object:
    """Wait no longer than needed between attempts."""
    with stamina.set_testing(True, attempts=5, cap=True):
        yield


def test_a_number_is_read_as_it_is(simulated: Simulated, client: RingCentral) -> None:
    number = simulated.platform.add()
    answer = client.phone_number(simulated.platform.account_id, str(number["id"]))
    assert answer is not None
    assert json.loads(answer) == number


def test_a_number_that_is_not_there_is_null(simulated: Simulated, client: RingCentral) -> None:
    assert client.phone_number(simulated.platform.account_id, "1") is None


def test_many_workers_log_in_once(simulated: Simulated, client: RingCentral) -> None:
    with ThreadPoolExecutor(16) as pool:
        found = set(pool.map(lambda _: client.account_id(), range(64)))
    assert found == {simulated.platform.account_id}
    assert simulated.platform.logins == 1


def test_when_the_session_ends_many_workers_log_in_once_more(
    simulated: Simulated, client: RingCentral
) -> None:
    client.account_id()
    simulated.platform.end_sessions()
    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(lambda _: client.account_id(), range(64))) == {"400000001"}
    assert simulated.platform.logins == 2


def test_a_token_is_not_used_until_its_very_end(simulated: Simulated, client: RingCentral) -> None:
    simulated.platform.token_life = 0.2
    for _ in range(20):
        client.account_id()
    assert simulated.platform.logins > 1
    assert all(client.account_id() for _ in range(3))


def test_a_session_that_ends_at_once_is_no_endless_loop(
    simulated: Simulated, client: RingCentral
) -> None:
    simulated.platform.faults.forget_tokens = 1.0
    with pytest.raises(Denied):
        client.account_id()
    assert simulated.platform.logins == 2


@pytest.mark.parametrize("wrong", ["client_secret", "jwt"])
def test_wrong_credentials_are_denied_and_not_tried_again(simulated: Simulated, wrong: str) -> None:
    app = simulated.platform.application
    given: Any = {"client_secret": app.client_secret, "jwt": app.jwt, wrong: "not-the-right-one"}
    with RingCentral(simulated.url, client_id=app.client_id, **given) as client:
        with pytest.raises(Denied) as error:
            client.account_id()
        assert client.requests == 1
    assert "not-the-right-one" not in str(error.value)


def test_a_fault_that_passes_is_not_noticed(simulated: Simulated, client: RingCentral) -> None:
    simulated.platform.faults.refuse = 0.3
    simulated.platform.faults.throttle = 0.1
    simulated.platform.limits.penalty = 0.01
    with stamina.set_testing(True, attempts=100, cap=False):
        assert {client.account_id() for _ in range(5)} == {"400000001"}
    assert client.requests > 6


def test_a_platform_that_is_down_is_unavailable(simulated: Simulated, client: RingCentral) -> None:
    simulated.platform.faults.refuse = 1.0
    with pytest.raises(Unavailable, match="503 CMN-211"):
        client.account_id()
    assert client.requests == 5


def test_a_subscription_is_not_created_twice_when_its_outcome_is_unknown() -> None:
    created = []

    async def answer(request: Request) -> Response:
        if request.url.path.endswith("/token"):
            return Response(b'{"access_token":"t0ken-of-ours","expires_in":3600}')
        created.append(await request.body())
        return Response(b"oh", 502)

    routes = [Route("/{path:path}", answer, methods=["GET", "POST"])]
    with (
        served(Starlette(routes=routes)) as url,
        RingCentral(url, client_id="a", client_secret="b-secret", jwt="c-secret") as client,
        pytest.raises(Unavailable),
    ):
        client.create_subscription(["/x"], address="https://x/", token=None, expires_in=60)
    assert len(created) == 1


def test_nothing_is_asked_during_a_penalty() -> None:
    limits = Limits({"light": 3, "medium": 9, "heavy": 9, "auth": 9}, window=0.5, penalty=0.5)
    with simulating(Platform(limits=limits)) as simulated:
        with simulated.client() as client, ThreadPoolExecutor(4) as pool:
            # The client believes in the usual 50 a minute until the first answer says otherwise.
            assert set(pool.map(lambda _: client.account_id(), range(12))) == {"400000001"}
        # Requests that were under way when the penalty began are all that may come during it.
        assert limits.restarted <= 3


def test_the_budget_is_left_to_the_headers_and_shared_with_others() -> None:
    limits = Limits({"light": 4, "medium": 9, "heavy": 9, "auth": 9}, window=0.5, penalty=5)
    with simulating(Platform(limits=limits)) as simulated, simulated.client() as one:
        one.account_id()
        with simulated.client() as other:
            other.account_id()
            for _ in range(3):
                one.account_id()
                other.account_id()
        assert limits.restarted == 0


def test_no_secret_is_in_an_error_or_a_log(
    simulated: Simulated, client: RingCentral, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client.account_id()
    token = next(iter(simulated.platform._tokens))
    secrets = [
        simulated.platform.application.client_secret,
        simulated.platform.application.jwt,
        token,
    ]
    simulated.platform.faults.refuse = 1.0
    told = []
    for call in (
        client.account_id,
        lambda: client.delete_subscription("x"),
        lambda: client.create_subscription(["/x"], address="http://x", token="t", expires_in=1),
    ):
        try:
            call()
        except RingCentralError as error:
            told += traceback.format_exception(error)
            told += [repr(error), str(error.__dict__), str(error.__context__)]
    assert len(told) > 3
    told += [redact(record.getMessage()) for record in caplog.records]
    assert "RCRequestId" in "".join(told)
    assert not [secret for secret in secrets if secret in "".join(told)]


def test_an_answer_that_quotes_our_secrets_is_redacted() -> None:
    async def answer(request: Request) -> Response:
        quoted = {"message": f"bad {request.headers['authorization']} {await request.body()!r}"}
        return Response(json.dumps(quoted), 403)

    with (
        served(Starlette(routes=[Route("/{path:path}", answer, methods=["POST"])])) as url,
        RingCentral(url, client_id="a", client_secret="b-secret", jwt="c-secret") as client,
        pytest.raises(Denied) as error,
    ):
        client.account_id()
    assert "c-secret" not in str(error.value)
    assert "YTpiLXNlY3JldA" not in str(error.value)  # Basic authentication, in Base64


@pytest.mark.parametrize("body", [b"", b"[]", b"<html>", b'{"records": 7}', b"[" * 100_000])
def test_an_answer_that_makes_no_sense_is_unavailable_and_never_believed(body: bytes) -> None:
    async def answer(request: Request) -> Response:
        if request.url.path.endswith("/token"):
            return Response(b'{"access_token":"t0ken-of-ours","expires_in":3600}')
        return Response(body)

    with (
        served(Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST"])])) as url,
        RingCentral(url, client_id="a", client_secret="b-secret", jwt="c-secret") as client,
    ):
        for call in (client.subscriptions, client.account_id):
            with pytest.raises(Unavailable):
                call()


def test_what_is_never_done_is_refused(client: RingCentral) -> None:
    with pytest.raises(Refused, match="CMN-101"):
        client.create_subscription(["/x"], address="http://127.0.0.1:9/", token=None, expires_in=60)


def test_a_server_that_cannot_be_reached_is_unavailable() -> None:
    with (
        RingCentral("http://127.0.0.1:9", client_id="a", client_secret="b-x", jwt="c-x") as client,
        pytest.raises(Unavailable, match="ConnectError"),
    ):
        client.account_id()
