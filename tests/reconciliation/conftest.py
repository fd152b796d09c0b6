"""A RingCentral whose answers can be tampered with on their way, and runs against it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
import stamina
from psycopg import Connection
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as AsgiScope

from inventory import projector
from inventory.cli.listening import served
from inventory.database import Database
from inventory.reconciliation import (
    EVERYTHING,
    Override,
    Plan,
    Reconciled,
    RingCentralSource,
    Scope,
    alone,
    draw_up,
    reconcile,
)
from inventory.reconciliation.reconcile import Mode
from inventory.ringcentral import RingCentral
from inventory.simulator import Limits, Platform, Simulator
from tests.ringcentral.conftest import Simulated

Body = dict[str, Any]
Tampered = Body | int | tuple[int, Body] | None
"""Another body, a status with some error, both, or null: nothing."""
Tamper = Callable[[str, dict[str, str], Body], Tampered]
"""Given the path, the query and the answer's body."""


class Tampering:
    """Something between RingCentral and us; it writes down what was asked, too."""

    def __init__(self, application: ASGIApp) -> None:
        self._application = application
        self.tamper: Tamper = lambda _path, _query, _body: None
        self.asked: list[tuple[str, str]] = []

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        path = scope["path"]
        query = dict(pair.partition("=")[::2] for pair in scope["query_string"].decode().split("&"))
        self.asked.append((scope["method"], path))
        start: Message = {}
        body = b""

        async def hold(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                start = message
            else:
                body += message.get("body", b"")

        await self._application(scope, receive, hold)
        if scope["method"] == "GET":
            found = self.tamper(path, query, json.loads(body))
            if isinstance(found, int):
                found = (found, {"errorCode": "XXX-100", "message": "tampered"})
            if isinstance(found, tuple):
                start["status"], found = found
            if found is not None:
                body = json.dumps(found).encode()
        start["headers"] = [h for h in start["headers"] if h[0] != b"content-length"]
        await send(start)
        await send({"type": "http.response.body", "body": body})


class Reconciling(NamedTuple):
    """An account at RingCentral, its inventory, and what lies between."""

    simulated: Simulated
    tampering: Tampering
    client: RingCentral
    connection: Connection
    database: Database

    @property
    def platform(self) -> Platform:
        return self.simulated.platform

    @property
    def account(self) -> str:
        return self.platform.account_id

    @property
    def source(self) -> RingCentralSource:
        return RingCentralSource(self.client, self.account)

    def lists(self, tamper: Callable[[int, Body], Tampered]) -> None:
        """Tamper with pages of the list: given a page's number and what it says."""

        def choose(path: str, query: dict[str, str], body: Body) -> Tampered:
            return tamper(int(query["page"]), body) if path.endswith("/phone-number") else None

        self.tampering.tamper = choose

    def by_id(self, tamper: Callable[[str, Body], Tampered]) -> None:
        """Tamper with numbers that are asked for by their ids."""

        def choose(path: str, _query: dict[str, str], body: Body) -> Tampered:
            head, _, id_ = path.rpartition("/")
            return tamper(id_, body) if head.endswith("/phone-number") else None

        self.tampering.tamper = choose

    def plan(self, **options: Any) -> Plan:
        """What would be done."""
        source = self.source
        given = {"scope": EVERYTHING, "override": None} | options
        return draw_up(self.connection, source, source.read(), **given)

    def apply(
        self,
        *,
        mode: Mode = "apply",
        scope: Scope = EVERYTHING,
        override: Override | None = None,
    ) -> Reconciled:
        """Do it, and fold."""
        with alone(self.connection, self.account):
            done = reconcile(
                self.connection, self.source, mode=mode, scope=scope, override=override
            )
        self.fold()
        return done

    def fold(self) -> None:
        with self.connection.transaction():
            projector.fold(self.connection, self.account)

    def held(self) -> set[str]:
        """Ids of what is in the inventory."""
        return {
            id_
            for (id_,) in self.connection.execute(
                "SELECT phone_number_id FROM inventory.contact_center_number WHERE account_id = %s",
                [self.account],
            )
        }

    def there(self) -> set[str]:
        """Ids of the Contact Center numbers at RingCentral."""
        return {str(number["id"]) for number in self.platform.contact_center()}

    def events(self) -> int:
        return int(self.value("SELECT count(*) FROM inventory.event"))

    def value(self, query: str) -> Any:
        row = self.connection.execute(query).fetchone()
        assert row is not None
        return row[0]

    def row(self, run: int) -> dict[str, Any]:
        """A run, as it is recorded."""
        cursor = self.connection.execute(
            "SELECT * FROM inventory.reconciliation WHERE id = %s", [run]
        )
        assert cursor.description is not None
        (found,) = cursor.fetchall()
        return dict(zip([column.name for column in cursor.description], found, strict=True))


@pytest.fixture(autouse=True)
def _hasty() -> object:
    """One attempt a request."""
    with stamina.set_testing(True, attempts=1):
        yield


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Makes pages of so many numbers."""

    def limit(numbers: int) -> None:
        monkeypatch.setattr("inventory.ringcentral.client.PER_PAGE", numbers)

    return limit


@pytest.fixture
def it(database: Database) -> Iterator[Reconciling]:
    """An empty account, and an empty inventory."""
    limits = Limits(dict.fromkeys(("light", "medium", "heavy", "auth"), 100_000), penalty=0.1)
    platform = Platform(limits=limits)
    simulator = Simulator(platform)
    tampering = Tampering(simulator.application())
    with served(tampering) as url:
        platform.url = url
        simulated = Simulated(simulator, platform, url)
        with simulated.client() as client, database.connect(autocommit=True) as connection:
            yield Reconciling(simulated, tampering, client, connection, database)


def kinds(plan: Plan) -> dict[str, set[str]]:
    """Ids by what was found of them."""
    found: dict[str, set[str]] = {}
    for planned in plan.findings:
        found.setdefault(planned.finding.kind, set()).add(str(planned.finding.phone_number_id))
    return found
