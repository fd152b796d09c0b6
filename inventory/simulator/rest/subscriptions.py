"""Subscriptions: made, looked at, changed, renewed, ended."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from inventory.simulator.delivery import Delivery, HandshakeFailed
from inventory.simulator.platform import SUBSCRIPTION_LIMIT, Platform, said
from inventory.simulator.rest.operation import Operation, Refusal, invalid
from inventory.simulator.subscription import Subscription, reminder_of, term_of

PATH = "/restapi/v1.0/subscription"


class Subscriptions:
    """
    The subscriptions of the user and the app.

    Args:
        platform: Whose.
        delivery: What validates the address of a new one.
    """

    def __init__(self, platform: Platform, delivery: Delivery) -> None:
        self._platform = platform
        self._delivery = delivery

    def operations(self) -> list[Operation]:
        """What it offers."""
        one = f"{PATH}/{{subscriptionId}}"
        return [
            Operation("GET", PATH, "light", self._list),
            Operation("POST", PATH, "medium", self._create),
            Operation("GET", one, "light", self._get),
            Operation("PUT", one, "medium", self._update),
            Operation("DELETE", one, "medium", self._delete),
            Operation("POST", f"{one}/renew", "light", self._renew),
        ]

    async def _list(self, _: Request) -> Response:
        self._platform.purge()
        records = [shown(self._platform, each) for each in self._platform.subscriptions.values()]
        return JSONResponse({"uri": f"{self._platform.url}{PATH}", "records": records})

    async def _create(self, request: Request) -> Response:
        platform = self._platform
        asked = _asked(await request.body())
        mode = asked.get("deliveryMode")
        # A WebSocket is subscribed over itself.
        if not isinstance(mode, dict) or mode.get("transportType") != "WebHook":
            raise invalid("deliveryMode")
        address, token = mode.get("address"), mode.get("verificationToken")
        if not isinstance(address, str) or not address.startswith(("http://", "https://")):
            raise invalid("deliveryMode.address")
        expires_in = _expires_in(asked)
        filters = filters_of(asked, term_of("WebHook", expires_in))
        require_room(platform)
        try:
            await self._delivery.validate(address, token)
        except HandshakeFailed as error:
            raise Refusal(400, error.code, error.message) from None
        subscription = platform.subscribe(
            filters,
            transport="WebHook",
            address=address,
            verification_token=token,
            expires_in=expires_in,
        )
        return self._answer(subscription)

    async def _get(self, request: Request) -> Response:
        return self._answer(self._subscribed(request))

    async def _update(self, request: Request) -> Response:
        """Nothing but filters and term can be changed; without a body it is 7 more days."""
        subscription = self._subscribed(request)
        if subscription.transport == "WebSocket":
            raise invalid("subscriptionId", "A WebSocket's cannot be updated here")
        body = await request.body()
        asked = _asked(body) if body else {}
        expires_in = _expires_in(asked)
        filters = None
        if "eventFilters" in asked:
            filters = filters_of(asked, term_of("WebHook", expires_in))
        self._platform.update(subscription, filters=filters, expires_in=expires_in)
        return self._answer(subscription)

    async def _delete(self, request: Request) -> Response:
        del self._platform.subscriptions[self._subscribed(request).id]
        return Response(status_code=204)

    async def _renew(self, request: Request) -> Response:
        subscription = self._subscribed(request)
        self._platform.renew(subscription)
        return self._answer(subscription)

    def _subscribed(self, request: Request) -> Subscription:
        self._platform.purge()
        try:
            return self._platform.subscriptions[request.path_params["subscriptionId"]]
        except KeyError:
            raise Refusal(404, "SUB-507", "Subscription is not found", "subscriptionId") from None

    def _answer(self, subscription: Subscription) -> Response:
        return JSONResponse(shown(self._platform, subscription))


def shown(platform: Platform, subscription: Subscription) -> dict[str, Any]:
    """A subscription as the platform shows it; its verification token never is."""
    # Over a WebSocket addresses are relative.
    url = "" if subscription.transport == "WebSocket" else platform.url
    mode: dict[str, Any] = {"transportType": subscription.transport, "encryption": False}
    if subscription.address is not None:
        mode["address"] = subscription.address
    left = (subscription.expires - platform.now()).total_seconds()
    answer: dict[str, Any] = {
        "uri": f"{url}{PATH}/{subscription.id}",
        "id": subscription.id,
        "creationTime": said(subscription.created),
        "status": subscription.status,
        "eventFilters": subscription.filters,
        "expirationTime": said(subscription.expires),
        "expiresIn": max(1, int(left)),
        "deliveryMode": mode,
    }
    if subscription.disabled:
        answer["disabledFilters"] = [
            {
                "filter": filter_,
                "reason": "CMN-408",
                "message": "In order to call this API endpoint, user needs to have "
                "[ReadCompanyPhoneNumbers] permission for requested resource.",
            }
            for filter_ in subscription.disabled
        ]
    if subscription.blacklisted:
        answer["blacklistedData"] = subscription.blacklisted
    return answer


def require_room(platform: Platform) -> None:
    """Refuse one subscription too many."""
    platform.purge()
    if len(platform.subscriptions) >= SUBSCRIPTION_LIMIT:
        raise Refusal(403, "SUB-505", "Subscriptions limit exceeded")


def filters_of(asked: dict[str, Any], term: int) -> list[str]:
    """The filters asked for, of a subscription that lasts *term* seconds."""
    filters = asked.get("eventFilters")
    if (
        not isinstance(filters, list)
        or not filters
        or not all(_is_filter(f, term) for f in filters)
    ):
        raise Refusal(400, "SUB-508", "Event filters are invalid", "eventFilters")
    return filters


def _is_filter(filter_: object, term: int) -> bool:
    if not isinstance(filter_, str) or not filter_.startswith("/"):
        return False
    if not filter_.startswith(f"{PATH}/"):
        return True
    reminder = reminder_of(filter_)
    return reminder is not None and 2 * reminder.interval <= reminder.threshold <= term / 2


def _expires_in(asked: dict[str, Any]) -> int | None:
    """At the top; within `deliveryMode` nobody looks for it."""
    found = asked.get("expiresIn")
    if found is not None and (type(found) is not int or found < 1):
        raise invalid("expiresIn")
    return found


def _asked(body: bytes) -> dict[str, Any]:
    try:
        asked = json.loads(body)
    except ValueError:
        asked = None
    if not isinstance(asked, dict):
        raise Refusal(400, "CMN-101", "Request body is invalid")
    return asked
