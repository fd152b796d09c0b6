from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from inventory import settings, web
from inventory.cli.listening import address_of, listening, served
from inventory.database import Database
from inventory.ringcentral import NotFound, Refused, RingCentral
from inventory.simulator import Platform
from inventory.subscription import (
    NUMBERS,
    RENEW_BELOW,
    TERM,
    Keeper,
    SilentSubscription,
    resolved,
    shown_address,
)
from tests.conftest import Command
from tests.ringcentral.conftest import Simulated
from tests.waiting import until

PATH = "/webhooks/ringcentral"


@pytest.fixture
def address(database: Database) -> Iterator[str]:
    """Of a receiver that is up."""
    app = web.application(database, settings.load(webhook_token="s3cret"))
    with served(app) as url:
        yield url + PATH


@pytest.fixture
def keeper(client: RingCentral, address: str) -> Keeper:
    return Keeper(client, address=address, token="s3cret")


def requested(database: Database) -> list[str]:
    """Why reconciliations were asked for."""
    with database.connect() as connection:
        return [
            reason
            for (reason,) in connection.execute(
                "SELECT reason FROM inventory.reconciliation WHERE started_at IS NULL"
            )
        ]


def ensure(keeper: Keeper, database: Database, **options: Any) -> Any:
    with database.connect(autocommit=True) as connection:
        return keeper.ensure(connection, **options)


def test_the_first_time_one_is_created_for_long_and_a_reconciliation_asked_for(
    simulated: Simulated, keeper: Keeper, database: Database, address: str
) -> None:
    kept = ensure(keeper, database)
    assert kept.created
    (there,) = simulated.platform.subscriptions.values()
    assert there.id == kept.subscription.id
    assert there.address == address
    assert there.verification_token == "s3cret"
    assert NUMBERS in resolved(there.filters)
    assert abs(there.expires - datetime.now(UTC) - TERM) < timedelta(minutes=1)
    assert len(requested(database)) == 1
    with database.connect() as connection:
        (row,) = connection.execute("SELECT subscription_id, status FROM inventory.subscription")
    assert row == (there.id, "Active")


def test_what_is_there_is_adopted_and_nothing_is_asked_for(
    simulated: Simulated, keeper: Keeper, database: Database
) -> None:
    ensure(keeper, database)
    with database.connect(autocommit=True) as connection:
        connection.execute("DELETE FROM inventory.reconciliation")
    assert not ensure(keeper, database).created
    assert len(simulated.platform.subscriptions) == 1
    assert requested(database) == []


def test_many_replicas_create_one(simulated: Simulated, address: str, database: Database) -> None:
    def start(_: int) -> bool:
        with simulated.client() as client:
            keeper = Keeper(client, address=address, token=None)
            return bool(ensure(keeper, database).created)

    simulated.platform.faults.slow = 0.5
    simulated.platform.faults.slow_seconds = 0.2
    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(start, range(4))) == [False, False, False, True]
    assert len(simulated.platform.subscriptions) == 1


@pytest.mark.parametrize("status", ["Blacklisted", "Suspended", "Blocked", "SomethingNew"])
def test_whatever_is_not_active_is_replaced_and_its_gap_is_to_be_reconciled(
    simulated: Simulated, keeper: Keeper, database: Database, status: str
) -> None:
    before = ensure(keeper, database).subscription.id
    with database.connect(autocommit=True) as connection:
        connection.execute("DELETE FROM inventory.reconciliation")
    simulated.platform.subscriptions[before].status = status
    kept = ensure(keeper, database)
    assert kept.created
    assert kept.deleted == [before]
    assert list(simulated.platform.subscriptions) == [kept.subscription.id]
    assert [status in reason for reason in requested(database)] == [True]


def test_what_has_expired_is_created_anew(
    simulated: Simulated, keeper: Keeper, database: Database
) -> None:
    there = simulated.platform.subscriptions[ensure(keeper, database).subscription.id]
    there.expires = datetime.now(UTC)
    kept = ensure(keeper, database)
    assert kept.created
    assert list(simulated.platform.subscriptions) == [kept.subscription.id]


def test_what_is_about_to_end_is_renewed(
    simulated: Simulated, keeper: Keeper, database: Database
) -> None:
    there = simulated.platform.subscriptions[ensure(keeper, database).subscription.id]
    there.expires = datetime.now(UTC) + RENEW_BELOW / 2
    kept = ensure(keeper, database)
    assert kept.renewed
    assert not kept.created
    assert there.expires > datetime.now(UTC) + RENEW_BELOW


def test_one_too_many_is_deleted_and_those_of_others_are_left_alone(
    simulated: Simulated, keeper: Keeper, database: Database, address: str
) -> None:
    def subscribe(filter_: str, to: str) -> str:
        return simulated.platform.subscribe(
            [filter_], transport="WebHook", address=to, verification_token=None, expires_in=9000
        ).id

    ours = [subscribe(NUMBERS, address) for _ in range(2)]
    others = [
        subscribe(NUMBERS, "https://example.com/hook"),
        subscribe("/restapi/v1.0/account/~/extension", address),
    ]
    kept = ensure(keeper, database)
    assert kept.subscription.id in ours
    assert set(simulated.platform.subscriptions) == {kept.subscription.id, *others}


def test_a_filter_that_is_disabled_is_a_loud_failure(
    simulated: Simulated, keeper: Keeper, database: Database
) -> None:
    simulated.platform.unserved_filters.add(NUMBERS)
    for _ in range(2):
        with pytest.raises(SilentSubscription, match="CMN-408"):
            ensure(keeper, database)
    assert len(simulated.platform.subscriptions) == 1  # it is not tried over and over


def test_a_filter_that_is_dropped_is_a_loud_failure(
    keeper: Keeper, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Platform, "_resolved", lambda *_: "/restapi/v1.0/subscription/~")
    with pytest.raises(SilentSubscription):
        ensure(keeper, database)


def test_a_replacement_is_there_before_the_old_one_goes(
    simulated: Simulated, keeper: Keeper, database: Database, client: RingCentral, address: str
) -> None:
    before = ensure(keeper, database).subscription.id
    with pytest.raises(Refused):  # the receiver does not answer there
        ensure(Keeper(client, address="http://127.0.0.1:9/", token="x"), database, replace=True)
    assert list(simulated.platform.subscriptions) == [before]
    kept = ensure(Keeper(client, address=address, token="new"), database, replace=True)
    assert [there.verification_token for there in simulated.platform.subscriptions.values()] == [
        "new"
    ]
    assert kept.deleted == [before]


@pytest.mark.parametrize(
    ("headers", "body", "code"),
    [
        ({}, b"{}", "SUB-520"),
        ({"validation-token": "another"}, b"{}", "SUB-520"),
        (None, b"x" * 2000, "SUB-525"),
    ],
)
def test_the_simulator_refuses_an_address_that_answers_as_the_platform_would_not_bear(
    client: RingCentral, headers: dict[str, str] | None, body: bytes, code: str
) -> None:
    async def answer(request: Request) -> Response:
        echo = {"validation-token": request.headers.get("validation-token", "")}
        given = echo if headers is None else headers
        return Response(body, headers=given, media_type="application/json")

    with (
        served(Starlette(routes=[Route("/", answer, methods=["POST"])])) as url,
        pytest.raises(Refused, match=code),
    ):
        client.create_subscription([NUMBERS], address=url + "/", token=None, expires_in=60)


def test_what_happens_at_ringcentral_is_in_the_inventory_while_it_serves(
    simulated: Simulated, database: Database
) -> None:
    listener = listening("127.0.0.1", 0)
    given = settings.load(
        webhook_token="s3cret",
        webhook_url=f"{address_of(listener)}{PATH}?auth_token=s3cret",
        reconcile_schedule="",  # notifications are to do it
        **simulated.settings(),
    )
    with ExitStack() as stack:
        url = stack.enter_context(served(web.application(database, given, doubt=0.2), listener))
        until(lambda: simulated.platform.subscriptions)
        for _ in range(3):
            simulated.simulator.call(simulated.platform.create)
        until(lambda: held(database) == there(simulated))
        (subscription,) = simulated.platform.subscriptions.values()
        subscription.expires = datetime.now(UTC) + timedelta(days=4)
        until(lambda: subscription.expires > datetime.now(UTC) + RENEW_BELOW)
        number = simulated.platform.contact_center()[0]
        simulated.simulator.call(
            lambda: simulated.platform.reassign_away(number, "DirectNumber", said=False)
        )
        # The notification does not say that it left: RingCentral has to be asked.
        until(lambda: held(database) == there(simulated))
        assert set(httpx.get(f"{url}/readyz").json().values()) == {"ok"}


def held(database: Database) -> set[str]:
    with database.connect() as connection:
        return {
            id_
            for (id_,) in connection.execute(
                "SELECT phone_number_id FROM inventory.contact_center_number"
            )
        }


def there(simulated: Simulated) -> set[str]:
    return {str(number["id"]) for number in simulated.platform.contact_center()}


def test_the_commands_ensure_list_renew_and_delete(
    simulated: Simulated, inventory: Command, address: str
) -> None:
    variables: Any = {f"INVENTORY_{k.upper()}": v for k, v in simulated.settings().items()}
    variables["INVENTORY_WEBHOOK_URL"] = f"{address}?auth_token=hush"
    variables["INVENTORY_WEBHOOK_TOKEN"] = "s3cret"
    assert "created=1" in inventory("subscription", "ensure", **variables).stderr
    assert "kept=1" in inventory("subscription", "ensure", **variables).stderr
    listed = inventory("subscription", "list", "--format", "json", **variables).stdout
    assert "hush" not in listed
    (id_,) = simulated.platform.subscriptions
    assert id_ in listed
    before = simulated.platform.subscriptions[id_].expires
    inventory("subscription", "renew", id_, **variables)
    assert simulated.platform.subscriptions[id_].expires > before
    assert "deleted=1" in inventory("subscription", "delete", id_, **variables).stderr
    assert not simulated.platform.subscriptions
    inventory("subscription", "renew", id_, exits=1, **variables)
    variables["INVENTORY_RINGCENTRAL_JWT"] = "wrong"
    inventory("subscription", "list", exits=5, **variables)
    variables["INVENTORY_RINGCENTRAL_URL"] = "http://127.0.0.1:9"
    inventory("subscription", "list", exits=2)
    variables["INVENTORY_RINGCENTRAL_URL"] = "http://example.com"
    inventory("subscription", "list", exits=2, **variables)


def test_renewing_what_is_not_there_is_said(client: RingCentral) -> None:
    with pytest.raises(NotFound, match="SUB-507"):
        client.renew_subscription("x")


def test_an_address_is_shown_without_what_may_be_secret() -> None:
    assert shown_address("https://me:pw@x.example/hook?auth_token=s") == "https://x.example/hook"
