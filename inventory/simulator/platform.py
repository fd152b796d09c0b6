"""
The platform's memory: an account's phone numbers, and who is told when one changes.

No network here. What a change makes known is handed to `tell`, as the notification's bytes.
"""

from __future__ import annotations

import copy
import json
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from inventory.simulator.faults import Faults
from inventory.simulator.limits import Limits
from inventory.simulator.subscription import Subscription, term_of

CONTACT_CENTER = "ContactCenterNumber"
SUBSCRIPTION_LIMIT = 30
SESSIONS = 5
EVENT_TYPES = {"VoiceOnly": "Voice", "FaxOnly": "Fax"}
"""What a notification calls a number's type, where REST calls it otherwise."""

Number = dict[str, Any]


@dataclass(frozen=True)
class Application:
    """The one app, and the one user who installed it."""

    client_id: str = "simulated-app"
    client_secret: str = "simulated-secret"  # noqa: S105 - it opens nothing
    jwt: str = "simulated-jwt"
    extension_id: str = "400110001"


class Platform:
    """
    One account.

    Args:
        account_id: Its id, digits.
        seed: Of everything that is left to chance.
        application: Who may log in.
        limits: The rate limits.
        faults: What to do wrong.
        url: Where it is to be reached; shown in answers.
    """

    def __init__(
        self,
        account_id: str = "400000001",
        *,
        seed: int = 0,
        application: Application | None = None,
        limits: Limits | None = None,
        faults: Faults | None = None,
        url: str = "https://platform.ringcentral.com",
    ) -> None:
        self.account_id = account_id
        self.chance = random.Random(seed)  # noqa: S311 - it is to be repeatable
        self.application = application or Application()
        self.limits = limits or Limits()
        self.faults = faults or Faults()
        self.url = url
        self.numbers: dict[str, Number] = {}
        self.subscriptions: dict[str, Subscription] = {}
        self.logins = 0
        self.token_life = 3600.0
        self.scope = "ReadAccounts SubscriptionWebhook WebSocketsSubscription"
        """The app's scopes, as logins tell them."""
        self.blacklist_after = timedelta(minutes=10)
        self.unserved_filters: set[str] = set()
        """Filters that are accepted and then not served."""
        self.tell: Callable[[Subscription, bytes], None] = lambda _subscription, _payload: None
        self.told = 0
        """Notifications that a change gave rise to, whether they were delivered or not."""
        self._tokens: dict[str, datetime] = {}
        self._websocket_tokens: dict[str, datetime] = {}
        self._serial = 10_000
        self._last_sent = datetime.min.replace(tzinfo=UTC)

    # Sessions

    def log_in(self) -> str:
        """A new access token; the oldest session ends when there are too many."""
        self.logins += 1
        token = f"U0{self.chance.getrandbits(256):064x}"
        self._tokens[token] = self.now() + timedelta(seconds=self.token_life)
        while len(self._tokens) > SESSIONS:
            del self._tokens[next(iter(self._tokens))]
        return token

    def knows(self, token: str) -> bool:
        """Whether *token* is good."""
        until = self._tokens.get(token)
        return until is not None and self.now() < until

    def open_websocket(self) -> str:
        """A token that opens one WebSocket, within 30 seconds."""
        token = f"{self.chance.getrandbits(128):032x}"
        self._websocket_tokens[token] = self.now() + timedelta(seconds=30)
        return token

    def spend_websocket_token(self, token: str) -> bool:
        """Whether *token* opens a WebSocket; it does so once."""
        until = self._websocket_tokens.pop(token, None)
        return until is not None and self.now() < until

    def end_sessions(self) -> None:
        """As when the password changes."""
        self._tokens.clear()

    # Numbers

    def contact_center(self) -> list[Number]:
        """The account's Contact Center numbers."""
        return [n for n in self.numbers.values() if n["usageType"] == CONTACT_CENTER]

    def create(self, **attributes: Any) -> Number:
        """A new number; told if it is a Contact Center number."""
        number = self.add(**attributes)
        if number["usageType"] == CONTACT_CENTER:
            self._announce("Created", number)
        return number

    def add(self, **attributes: Any) -> Number:
        """A number that was there before anybody listened."""
        self._serial += 1
        id_ = str(self._serial)
        number = {
            "uri": f"{self.url}/restapi/v1.0/account/{self.account_id}/phone-number/{id_}",
            "id": int(id_),
            "phoneNumber": f"+1202{self._serial:07}",
            "paymentType": "Local",
            "type": "VoiceFax",
            "usageType": CONTACT_CENTER,
            "status": "Normal",
            "location": "Washington, DC",
            "contactCenterProvider": {"id": "1", "name": "InContact/North America"},
            **attributes,
        }
        self.numbers[id_] = number
        return number

    def delete(self, number: Number) -> None:
        """Told if it was a Contact Center number."""
        del self.numbers[str(number["id"])]
        if number["usageType"] == CONTACT_CENTER:
            self._announce("Deleted", number)

    def convert(self, number: Number, provider: dict[str, str]) -> None:
        """To Contact Center; told as `Updated`."""
        number.update(usageType=CONTACT_CENTER, contactCenterProvider=provider)
        self._announce("Updated", number)

    def reassign_away(self, number: Number, usage_type: str, *, said: bool) -> None:
        """
        From Contact Center; told as `Updated`.

        Whether its `usageType` then says the new use, or the old one as the guide's table has it,
        is documented nowhere: *said*.
        """
        before = copy.deepcopy(number)
        number["usageType"] = usage_type
        del number["contactCenterProvider"]
        self._announce("Updated", number if said else before)

    def change_silently(self, number: Number, **attributes: Any) -> None:
        """A change that nobody is told of, as of the provider in place."""
        number.update(attributes)

    # Subscriptions

    def subscribe(
        self,
        filters: list[str],
        *,
        transport: str,
        address: str | None,
        verification_token: str | None,
        expires_in: int | None,
    ) -> Subscription:
        """A new subscription, whose address has been validated."""
        term = term_of(transport, expires_in)
        now = self.now()
        subscription = Subscription(
            id=str(uuid.UUID(int=self.chance.getrandbits(128), version=4)),
            transport=transport,
            filters=self._shown(filters),
            created=now,
            expires=now + timedelta(seconds=term),
            term=term,
            address=address,
            verification_token=verification_token,
            disabled=self._unserved(filters),
        )
        self.subscriptions[subscription.id] = subscription
        return subscription

    def purge(self) -> None:
        """What has expired is gone."""
        now = self.now()
        for subscription in list(self.subscriptions.values()):
            if subscription.expires <= now:
                del self.subscriptions[subscription.id]

    def renew(self, subscription: Subscription) -> None:
        """Its term begins anew."""
        subscription.begin(self.now())

    def update(
        self, subscription: Subscription, *, filters: list[str] | None, expires_in: int | None
    ) -> None:
        """Other filters, if there are any; and a term of *expires_in*, or else the usual one."""
        if filters is not None:
            subscription.filters = self._shown(filters)
            subscription.disabled = self._unserved(filters)
        subscription.term = term_of(subscription.transport, expires_in)
        subscription.begin(self.now())

    def remind(self) -> None:
        """Tell those that asked for it that they are about to end."""
        self.purge()
        now = self.now()
        for subscription in self.subscriptions.values():
            if subscription.status == "Active":
                for filter_ in subscription.due(now):
                    body = {"id": subscription.id, "expiresIn": subscription.left(now)}
                    self.tell(subscription, self._envelope(subscription, filter_, body))

    def blacklist(self, subscription: Subscription, reason: str) -> None:
        """Deliver nothing to it any more; nobody is told."""
        subscription.status = "Blacklisted"
        subscription.blacklisted = {"reason": reason, "blacklistedAt": said(self.now())}

    def _announce(self, event_type: str, number: Number) -> None:
        self.purge()
        self.told += 1
        # As the guide has it: the id a string, and the type in other words than REST's.
        kind = EVENT_TYPES.get(number["type"], number["type"])
        info = {**number, "id": str(number["id"]), "type": kind}
        body = {"eventType": event_type, "phoneNumberInfo": info}
        path = f"/restapi/v1.0/account/{self.account_id}/phone-number"
        for subscription in self.subscriptions.values():
            if subscription.status != "Active":
                continue
            for filter_ in subscription.filters:
                if filter_.partition("?")[0] == path and filter_ not in subscription.disabled:
                    self.tell(subscription, self._envelope(subscription, filter_, body))
                    break

    def _envelope(self, subscription: Subscription, event: str, body: object) -> bytes:
        return json.dumps(
            {
                "uuid": str(self.chance.randrange(10**17, 10**20)),
                "event": event,
                "timestamp": said(self._sent()),
                "subscriptionId": subscription.id,
                "ownerId": self.application.extension_id,
                "body": body,
            }
        ).encode()

    def _sent(self) -> datetime:
        """Now, but never the instant of another notification: they are told in milliseconds."""
        self._last_sent = max(
            self.now().replace(microsecond=self.now().microsecond // 1000 * 1000),
            self._last_sent + timedelta(milliseconds=1),
        )
        return self._last_sent

    def _shown(self, filters: list[str]) -> list[str]:
        """*filters* as they are shown: with ids, and in whatever order."""
        resolved = [self._resolved(filter_) for filter_ in filters]
        self.chance.shuffle(resolved)
        return resolved

    def _unserved(self, filters: list[str]) -> list[str]:
        return [self._resolved(each) for each in filters if each in self.unserved_filters]

    def _resolved(self, filter_: str) -> str:
        if filter_.startswith("/restapi/v1.0/subscription/"):
            return filter_
        filter_ = filter_.replace("/account/~", f"/account/{self.account_id}")
        return filter_.replace("/extension/~", f"/extension/{self.application.extension_id}")

    @staticmethod
    def now() -> datetime:
        """The platform's clock."""
        return datetime.now(UTC)


def said(at: datetime) -> str:
    """A point in time, as the platform writes it."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
