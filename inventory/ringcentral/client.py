"""
What is asked of RingCentral: the ten calls that are needed.

The vendor's SDK has no timeouts, and shows tokens in its exceptions.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from inventory.event import CONTACT_CENTER
from inventory.notification import is_id
from inventory.redaction import conceal
from inventory.ringcentral.answers import object_of, read
from inventory.ringcentral.errors import NotFound, Unavailable
from inventory.ringcentral.model import Subscription, SubscriptionList, WebSocketToken
from inventory.ringcentral.page import PER_PAGE, Page, page_of
from inventory.ringcentral.requester import Requester

log = logging.getLogger(__name__)


class RingCentral(Requester):
    """RingCentral's REST API for one user and app."""

    # Subscriptions

    def subscriptions(self) -> list[Subscription]:
        """Those that this user made with this app."""
        answer = self.call("GET", "/restapi/v1.0/subscription", "light")
        return read(SubscriptionList, answer, "the subscriptions").records

    def create_subscription(
        self, filters: Sequence[str], *, address: str, token: str | None, expires_in: int
    ) -> Subscription:
        """
        Make a subscription that delivers to *address*; RingCentral calls there before it answers.

        Not repeated when its outcome is unknown, as a second one would deliver everything twice.
        """
        delivery = {"transportType": "WebHook", "address": address}
        if token is not None:
            delivery["verificationToken"] = token
        body = {
            "eventFilters": list(filters),
            "deliveryMode": delivery,
            # Within `deliveryMode` it would be ignored, and the subscription end after 7 days.
            "expiresIn": expires_in,
        }
        answer = self.call("POST", "/restapi/v1.0/subscription", "medium", body, again=False)
        return read(Subscription, answer, "the new subscription")

    def renew_subscription(self, subscription_id: str) -> Subscription:
        """
        Begin its term anew.

        By POST …/renew, which keeps the term; PUT without a body would make it 7 days.
        """
        path = f"/restapi/v1.0/subscription/{subscription_id}/renew"
        answer = self.call("POST", path, "light")
        return read(Subscription, answer, "the renewed subscription")

    def delete_subscription(self, subscription_id: str) -> None:
        """End it; one that is not there is ended already."""
        try:
            self.call("DELETE", f"/restapi/v1.0/subscription/{subscription_id}", "medium")
        except NotFound:
            log.info("subscription %s had ended already", subscription_id)

    def websocket_token(self) -> WebSocketToken:
        """What opens one WebSocket, within seconds from now."""
        answer = self.call("POST", "/restapi/oauth/wstoken", "auth", again=False)
        token = read(WebSocketToken, answer, "a WebSocket token")
        conceal(token.ws_access_token)
        return token

    # Numbers

    def phone_number(self, account_id: str, phone_number_id: str) -> str | None:
        """
        The number as RingCentral has it now, as JSON; null if there is none, or none we may see.

        Its members are those of a notification's `phoneNumberInfo`, the id as a number.
        """
        path = f"/restapi/v1.0/account/{account_id}/phone-number/{phone_number_id}"
        try:
            return self.call("GET", path, "light").text
        except NotFound as error:
            # A 404 of something on the way, or of the account, says nothing of the number.
            if error.code == "CMN-102" and error.parameter != "accountId":
                return None
            raise

    def contact_center_numbers(self, page: int) -> Page:
        """
        A page of the account's Contact Center numbers, the first is 1.

        No snapshot: what changes between two pages can be on both of them, or on neither.
        """
        answer = self.call(
            "GET",
            "/restapi/v1.0/account/~/phone-number",
            "heavy",
            params={"usageType": CONTACT_CENTER, "perPage": str(PER_PAGE), "page": str(page)},
        )
        return page_of(answer, f"page {page} of the account's numbers")

    def may(self, permission: str) -> bool:
        """Whether the user's role has *permission*."""
        path = "/restapi/v1.0/account/~/extension/~/authz-profile/check"
        answer = self.call("GET", path, "light", params={"permissionId": permission})
        return object_of(answer, "whether we have a permission").get("successful") is True

    def account_id(self) -> str:
        """The id of the user's account."""
        answer = self.call("GET", "/restapi/v1.0/account/~", "light")
        found = object_of(answer, "our account").get("id")
        if not is_id(str(found)):
            raise Unavailable("the id of our account", "an answer without it")
        return str(found)
