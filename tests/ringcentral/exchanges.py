"""What can be asked of the simulator, each in a way that gives a certain status."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Self

import httpx

from inventory.simulator.platform import SUBSCRIPTION_LIMIT, Platform
from inventory.simulator.rest.numbers import MULTIPART_JSON
from inventory.simulator.rest.oauth import JWT_GRANT
from inventory.subscription import NUMBERS as FILTER
from tests.ringcentral.conftest import Receiver, Simulated
from tests.ringcentral.corrections import (
    ACCOUNT,
    CHECK,
    NUMBER,
    NUMBERS,
    RENEW,
    SUBSCRIBE,
    SUBSCRIPTION,
    SUBSCRIPTIONS,
    TOKEN,
    UNSUBSCRIBE,
    UPDATE,
    WSTOKEN,
    Operation,
)


class Scene(NamedTuple):
    """A simulator, and what talks with it."""

    simulated: Simulated
    http: httpx.Client
    receiver: Receiver

    @property
    def platform(self) -> Platform:
        return self.simulated.platform

    # What is asked

    def ask(
        self,
        operation: Operation,
        id_: str = "1",
        *,
        account: str = "~",
        extension: str = "~",
        **options: Any,
    ) -> httpx.Response:
        """Ask for *operation*; the id is of a number or a subscription."""
        method, path = operation
        path = path.format(
            accountId=account, extensionId=extension, phoneNumberId=id_, subscriptionId=id_
        )
        return self.http.request(method, path, **options)

    def log_in(self, **changes: str) -> httpx.Response:
        app = self.platform.application
        given = {"id": app.client_id, "secret": app.client_secret} | changes
        form = {"grant_type": JWT_GRANT, "assertion": app.jwt, **changes}
        return self.ask(TOKEN, data=form, auth=(given["id"], given["secret"]))

    def list(self, many: int, **query: Any) -> httpx.Response:
        """A list, after so many more numbers of every kind have come."""
        kinds: list[dict[str, Any]] = [{"type": "VoiceOnly"}, {"usageType": "DirectNumber"}, {}]
        for n in range(many):
            self.platform.add(**kinds[n % len(kinds)])
        return self.ask(NUMBERS, params=query)

    def bulk(self) -> httpx.Response:
        ids = f"{self.add()},{self.moved()},1"
        return self.ask(NUMBER, ids, headers={"accept": MULTIPART_JSON})

    def subscribe(self, **changes: Any) -> httpx.Response:
        mode = {"transportType": "WebHook", "address": self.receiver.url, "verificationToken": "s"}
        body = {"eventFilters": [FILTER], "deliveryMode": mode, "expiresIn": 9000, **changes}
        return self.ask(SUBSCRIBE, json=body)

    def update(self, **changes: Any) -> httpx.Response:
        return self.ask(UPDATE, self.one(), json=changes)

    # What there is to be asked for: its id

    def add(self) -> str:
        return str(self.platform.add()["id"])

    def moved(self) -> str:
        number = self.platform.add()
        self.platform.reassign_away(number, "CompanyNumber", said=True)
        return str(number["id"])

    def one(self, left: float | None = None) -> str:
        """A subscription, of which so many seconds are left."""
        id_ = self.subscribe().json()["id"]
        assert isinstance(id_, str)
        if left is not None:
            self.platform.subscriptions[id_].expires = datetime.now(UTC) + timedelta(seconds=left)
        return id_

    def black(self) -> str:
        id_ = self.one()
        reason = "Webhook responses with code: [404], reason: [Not Found]"
        self.platform.blacklist(self.platform.subscriptions[id_], reason)
        return id_

    # What has come over the platform

    def demoted(self) -> Self:
        self.platform.faults.unprivileged = True
        return self

    def halved(self) -> Self:
        self.platform.faults.partial_lists = True
        return self

    def unserved(self) -> Self:
        self.platform.unserved_filters.add(FILTER)
        return self

    def failing(self, fault: str) -> Self:
        setattr(self.platform.faults, fault, 1.0)
        return self

    def filled(self) -> Self:
        """As many subscriptions as there may be."""
        for _ in range(SUBSCRIPTION_LIMIT):
            self._known("WebHook", "http://127.0.0.1:9/")
        return self

    def varied(self) -> Self:
        """Subscriptions of every sort."""
        self.one()
        self.black()
        self._known("WebSocket", None)
        self.unserved().one()
        return self

    def _known(self, transport: str, address: str | None) -> None:
        self.platform.subscribe(
            [FILTER], transport=transport, address=address, verification_token=None, expires_in=900
        )


class Exchange(NamedTuple):
    """A request that is answered with a certain status."""

    operation: Operation
    status: int
    what: str
    ask: Callable[[Scene], httpx.Response]

    def __str__(self) -> str:
        return f"{self.status} {self.what}"


CHECKED = {"permissionId": "ReadCompanyPhoneNumbers"}
NOWHERE = {"transportType": "WebHook", "address": "http://127.0.0.1:9/"}

EXCHANGES = [
    Exchange(TOKEN, 200, "a login", lambda it: it.log_in()),
    Exchange(TOKEN, 401, "a login of another app", lambda it: it.log_in(secret="wrong")),
    Exchange(TOKEN, 400, "another grant", lambda it: it.log_in(grant_type="password")),
    Exchange(TOKEN, 400, "a wrong credential", lambda it: it.log_in(assertion="wrong")),
    Exchange(WSTOKEN, 200, "a token for a WebSocket", lambda it: it.ask(WSTOKEN)),
    Exchange(ACCOUNT, 200, "our account", lambda it: it.ask(ACCOUNT)),
    Exchange(ACCOUNT, 404, "another account", lambda it: it.ask(ACCOUNT, account="1")),
    Exchange(CHECK, 200, "a permission", lambda it: it.ask(CHECK, params=CHECKED)),
    Exchange(CHECK, 200, "a permission lost", lambda it: it.demoted().ask(CHECK, params=CHECKED)),
    Exchange(CHECK, 404, "another user", lambda it: it.ask(CHECK, extension="1")),
    Exchange(NUMBERS, 200, "an empty list", lambda it: it.ask(NUMBERS)),
    Exchange(NUMBERS, 200, "a page", lambda it: it.list(5, usageType=["ContactCenterNumber"])),
    Exchange(NUMBERS, 200, "the first page of several", lambda it: it.list(5, perPage=2)),
    Exchange(NUMBERS, 200, "a page amid others", lambda it: it.list(5, perPage=2, page=2)),
    Exchange(NUMBERS, 200, "the last page", lambda it: it.list(5, perPage=2, page=3)),
    Exchange(NUMBERS, 200, "a page after the last", lambda it: it.list(5, perPage=2, page=9)),
    Exchange(NUMBERS, 200, "a page too large", lambda it: it.list(5, perPage=5000)),
    Exchange(NUMBERS, 200, "a list for a user without permission", lambda it: it.demoted().list(5)),
    Exchange(NUMBERS, 200, "a list that lacks half", lambda it: it.halved().list(5)),
    Exchange(NUMBERS, 400, "no such usage type", lambda it: it.list(0, usageType=["Centre"])),
    Exchange(NUMBERS, 400, "a page that is no number", lambda it: it.list(0, page="two")),
    Exchange(NUMBERS, 404, "the list of another account", lambda it: it.ask(NUMBERS, account="1")),
    Exchange(NUMBER, 200, "a number", lambda it: it.ask(NUMBER, it.add())),
    Exchange(NUMBER, 200, "a number without a provider", lambda it: it.ask(NUMBER, it.moved())),
    Exchange(NUMBER, 404, "a number that there is not", lambda it: it.ask(NUMBER, "1")),
    Exchange(NUMBER, 404, "a number not to be seen", lambda it: it.demoted().ask(NUMBER, it.add())),
    Exchange(NUMBER, 207, "several numbers, and one that there is not", lambda it: it.bulk()),
    Exchange(NUMBER, 400, "too many numbers", lambda it: it.ask(NUMBER, ",".join("1" * 100))),
    Exchange(SUBSCRIPTIONS, 200, "no subscriptions", lambda it: it.ask(SUBSCRIPTIONS)),
    Exchange(SUBSCRIPTIONS, 200, "every sort of them", lambda it: it.varied().ask(SUBSCRIPTIONS)),
    Exchange(SUBSCRIPTIONS, 200, "as many as can be", lambda it: it.filled().ask(SUBSCRIPTIONS)),
    Exchange(SUBSCRIBE, 200, "a new subscription", lambda it: it.subscribe()),
    Exchange(SUBSCRIBE, 200, "one with a disabled filter", lambda it: it.unserved().subscribe()),
    Exchange(SUBSCRIBE, 400, "one without filters", lambda it: it.subscribe(eventFilters=[])),
    Exchange(SUBSCRIBE, 400, "one without a mode", lambda it: it.subscribe(deliveryMode=None)),
    Exchange(SUBSCRIBE, 400, "one to nowhere", lambda it: it.subscribe(deliveryMode=NOWHERE)),
    Exchange(SUBSCRIBE, 400, "one for no time", lambda it: it.subscribe(expiresIn=0)),
    Exchange(SUBSCRIBE, 400, "one that is no JSON", lambda it: it.ask(SUBSCRIBE, content=b"{")),
    Exchange(SUBSCRIBE, 403, "one too many", lambda it: it.filled().subscribe()),
    Exchange(SUBSCRIPTION, 200, "a subscription", lambda it: it.ask(SUBSCRIPTION, it.one())),
    Exchange(SUBSCRIPTION, 200, "a blacklisted one", lambda it: it.ask(SUBSCRIPTION, it.black())),
    Exchange(SUBSCRIPTION, 200, "one about to end", lambda it: it.ask(SUBSCRIPTION, it.one(0.9))),
    Exchange(SUBSCRIPTION, 404, "one that has ended", lambda it: it.ask(SUBSCRIPTION, it.one(0))),
    Exchange(UPDATE, 200, "an update of nothing", lambda it: it.ask(UPDATE, it.one())),
    Exchange(UPDATE, 200, "an update of filters", lambda it: it.update(eventFilters=["/x", "/y"])),
    Exchange(UPDATE, 400, "an update to no filters", lambda it: it.update(eventFilters=[])),
    Exchange(UPDATE, 404, "an update of what is not there", lambda it: it.ask(UPDATE)),
    Exchange(RENEW, 200, "a renewal", lambda it: it.ask(RENEW, it.one())),
    Exchange(RENEW, 404, "a renewal of what is not there", lambda it: it.ask(RENEW)),
    Exchange(UNSUBSCRIBE, 204, "an end", lambda it: it.ask(UNSUBSCRIBE, it.one())),
    Exchange(UNSUBSCRIBE, 404, "an end of what is not there", lambda it: it.ask(UNSUBSCRIBE)),
]


def _whatever_is_asked(operation: Operation) -> list[Exchange]:
    """How every request can fail, though there is nothing wrong with it."""
    named = " ".join(operation)

    def fail(fault: str) -> Callable[[Scene], httpx.Response]:
        return lambda it: it.failing(fault).ask(operation)

    found = [
        Exchange(operation, 429, f"too many requests: {named}", fail("throttle")),
        Exchange(operation, 503, f"out of service: {named}", fail("refuse")),
    ]
    if operation != TOKEN:
        expired = f"a token that has expired: {named}"
        found.append(Exchange(operation, 401, expired, fail("forget_tokens")))
    return found


for every in sorted({exchange.operation for exchange in EXCHANGES}):
    EXCHANGES += _whatever_is_asked(every)
