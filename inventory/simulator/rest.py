"""RingCentral's REST API, as far as the product calls it."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import uuid
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs, urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from inventory.simulator.delivery import Delivery, HandshakeFailed
from inventory.simulator.limits import Verdict
from inventory.simulator.platform import (
    SUBSCRIPTION_LIMIT,
    Number,
    Platform,
    Subscription,
    said,
)

USAGE_TYPES = {
    "MainCompanyNumber", "AdditionalCompanyNumber", "CompanyNumber", "DirectNumber",
    "CompanyFaxNumber", "FmcBusinessMobileNumber", "InventoryFmcBusinessMobileNumber",
    "ForwardedNumber", "ForwardedCompanyNumber", "ContactCenterNumber", "ConferencingNumber",
    "MeetingsNumber", "NumberPool", "BusinessMobileNumber", "ELIN", "PartnerBusinessMobileNumber",
    "NumberPoolPartnerBusinessMobileNumber", "NumberStorage", "IntegrationNumber",
    "InventoryMobileNumber",
}  # fmt: skip
JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
PER_PAGE = 1000


class _Fault(Exception):
    """A request is answered with an error."""

    def __init__(self, status: int, code: str, message: str, parameter: str | None = None) -> None:
        self.status = status
        self.code = code
        self.message = message
        self.parameter = parameter

    def body(self) -> dict[str, Any]:
        named = {} if self.parameter is None else {"parameterName": self.parameter}
        error = {"errorCode": self.code, "message": self.message, **named}
        return {**error, "errors": [error]}


class Rest:
    """
    The routes.

    Args:
        platform: What answers are made of.
        delivery: What validates the address of a new subscription.
    """

    def __init__(self, platform: Platform, delivery: Delivery) -> None:
        self._platform = platform
        self._delivery = delivery

    def routes(self) -> list[Route]:
        """What Starlette wants."""
        account = "/restapi/v1.0/account/{account}"
        subscription = "/restapi/v1.0/subscription"
        return [
            self._route("POST", "/restapi/oauth/token", "auth", self._log_in, open_=True),
            self._route("POST", "/restapi/oauth/wstoken", "auth", self._websocket_token),
            self._route("GET", account, "light", self._account),
            self._route("GET", f"{account}/phone-number", "heavy", self._list),
            self._route("GET", f"{account}/phone-number/{{ids}}", "light", self._get),
            self._route(
                "GET",
                f"{account}/extension/{{extension}}/authz-profile/check",
                "light",
                self._check,
            ),
            self._route("GET", subscription, "light", self._subscriptions),
            self._route("POST", subscription, "medium", self._subscribe),
            self._route("GET", f"{subscription}/{{id}}", "light", self._subscription),
            self._route("DELETE", f"{subscription}/{{id}}", "medium", self._unsubscribe),
            self._route("POST", f"{subscription}/{{id}}/renew", "light", self._renew),
        ]

    def _route(
        self,
        method: str,
        path: str,
        group: str,
        answer: Callable[[Request], Awaitable[Response]],
        *,
        open_: bool = False,
    ) -> Route:
        async def endpoint(request: Request) -> Response:
            platform = self._platform
            if platform.chance.random() < platform.faults.slow:
                await asyncio.sleep(platform.chance.uniform(0, platform.faults.slow_seconds))
            throttled = platform.chance.random() < platform.faults.throttle
            verdict = (platform.limits.punish if throttled else platform.limits.judge)(group)
            try:
                self._admit(request, verdict, open_=open_)
                response = await answer(request)
            except _Fault as fault:
                response = JSONResponse(fault.body(), fault.status)
            response.headers.update({"RCRequestId": str(uuid.uuid4()), **verdict.headers})
            return response

        return Route(path, endpoint, methods=[method])

    def _admit(self, request: Request, verdict: Verdict, *, open_: bool) -> None:
        platform = self._platform
        if not verdict.allowed:
            raise _Fault(429, "CMN-301", "Request rate exceeded")
        if platform.chance.random() < platform.faults.refuse:
            raise _Fault(503, "CMN-211", "Service is temporary unavailable")
        if open_:
            return
        if platform.chance.random() < platform.faults.forget_tokens:
            platform.end_sessions()
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not platform.knows(token):
            raise _Fault(401, "TokenInvalid", "Token not found")
        account = request.path_params.get("account", "~")
        if account not in ("~", platform.account_id):
            raise _Fault(404, "CMN-102", "Resource for parameter [accountId] is not found")

    async def _log_in(self, request: Request) -> Response:
        app = self._platform.application
        expected = base64.b64encode(f"{app.client_id}:{app.client_secret}".encode()).decode()
        if not hmac.compare_digest(
            request.headers.get("authorization", "").encode(), f"Basic {expected}".encode()
        ):
            return _refused_login(401, "invalid_client", "OAU-153", "Invalid client credentials")
        form = parse_qs((await request.body()).decode())
        if form.get("grant_type") != [JWT_GRANT]:
            return _refused_login(
                400, "unsupported_grant_type", "OAU-250", "Grant type is not supported"
            )
        if form.get("assertion") != [app.jwt]:
            return _refused_login(400, "invalid_grant", "OAU-251", "Invalid assertion")
        return JSONResponse(
            {
                "access_token": self._platform.log_in(),
                "token_type": "bearer",
                "expires_in": int(self._platform.token_life),
                "scope": "ReadAccounts SubscriptionWebhook WebSocketsSubscription",
                "owner_id": app.extension_id,
                "endpoint_id": "simulated",
            }
        )

    async def _websocket_token(self, request: Request) -> Response:
        address = request.url.replace(
            scheme="wss" if request.url.scheme == "https" else "ws", path="/ws", query=""
        )
        token = self._platform.open_websocket()
        return JSONResponse({"uri": str(address), "ws_access_token": token, "expires_in": 30})

    async def _account(self, _: Request) -> Response:
        id_ = self._platform.account_id
        return JSONResponse(
            {
                "uri": f"{self._platform.url}/restapi/v1.0/account/{id_}",
                "id": int(id_),
                "status": "Confirmed",
                "mainNumber": "+12025550100",
            }
        )

    async def _check(self, request: Request) -> Response:
        return JSONResponse(
            {
                "uri": f"{self._platform.url}{request.url.path}",
                "successful": not self._platform.faults.unprivileged,
                "details": {
                    "permission": {"id": request.query_params.get("permissionId", "")},
                    "scopes": ["Account"],
                },
            }
        )

    async def _list(self, request: Request) -> Response:
        platform = self._platform
        usage_types = request.query_params.getlist("usageType")
        for usage_type in usage_types:
            if usage_type not in USAGE_TYPES:
                raise _Fault(400, "CMN-101", "Parameter [usageType] value is invalid", "usageType")
        page = _whole(request, "page", 1)
        per_page = min(_whole(request, "perPage", 100), PER_PAGE)
        found: list[Number] = [
            number
            for number in platform.numbers.values()
            if not usage_types or number["usageType"] in usage_types
        ]
        if platform.faults.unprivileged:
            found = [number for number in found if number["usageType"] == "DirectNumber"]
        if platform.faults.partial_lists:
            found = found[: len(found) // 2]
        pages = max(1, -(-len(found) // per_page))
        records = found[(page - 1) * per_page : page * per_page]
        query = [(k, v) for k, v in request.query_params.multi_items() if k != "page"]

        def at(number: int) -> dict[str, str]:
            asked = urlencode([*query, ("page", number)])
            return {"uri": f"{platform.url}{request.url.path}?{asked}"}

        paging: dict[str, int] = {
            "page": page,
            "perPage": per_page,
            "totalPages": pages,
            "totalElements": len(found),
        }
        if records:
            first = (page - 1) * per_page
            paging |= {"pageStart": first, "pageEnd": first + len(records) - 1}
        navigation = {"firstPage": at(1), "lastPage": at(pages)}
        if page < pages:
            navigation["nextPage"] = at(page + 1)
        if page > 1:
            navigation["previousPage"] = at(page - 1)
        return JSONResponse(
            {
                "uri": at(page)["uri"],
                "records": records,
                "paging": paging,
                "navigation": navigation,
            }
        )

    async def _get(self, request: Request) -> Response:
        ids = request.path_params["ids"].split(",")
        if len(ids) == 1:
            return JSONResponse(self._number(ids[0]))
        parts = []
        for id_ in ids:
            try:
                parts.append({"resourceId": id_, "status": 200, "body": self._number(id_)})
            except _Fault as fault:
                parts.append({"resourceId": id_, "status": fault.status, "body": fault.body()})
        kind = "application/vnd.ringcentral.multipart+json"
        return Response(json.dumps(parts), 207, media_type=kind)

    def _number(self, id_: str) -> Number:
        try:
            return self._platform.numbers[id_]
        except KeyError:
            raise _Fault(
                404,
                "CMN-102",
                "Resource for parameter [phoneNumberId] is not found",
                "phoneNumberId",
            ) from None

    async def _subscriptions(self, _: Request) -> Response:
        self._platform.purge()
        records = [self._shown(found) for found in self._platform.subscriptions.values()]
        uri = f"{self._platform.url}/restapi/v1.0/subscription"
        return JSONResponse({"uri": uri, "records": records})

    async def _subscribe(self, request: Request) -> Response:
        platform = self._platform
        asked = _asked(await request.body())
        filters = asked.get("eventFilters")
        mode = asked.get("deliveryMode")
        if not isinstance(filters, list) or not filters:
            raise _Fault(400, "SUB-508", "Event filters are invalid", "eventFilters")
        if not isinstance(mode, dict) or mode.get("transportType") != "WebHook":
            raise _Fault(400, "CMN-101", "Parameter [deliveryMode] value is invalid")
        platform.purge()
        if len(platform.subscriptions) >= SUBSCRIPTION_LIMIT:
            raise _Fault(403, "SUB-505", "Subscriptions limit exceeded")
        address, token = mode.get("address"), mode.get("verificationToken")
        try:
            await self._delivery.validate(str(address), token)
        except HandshakeFailed as error:
            raise _Fault(400, error.code, error.message) from None
        subscription = platform.subscribe(
            filters,
            transport="WebHook",
            address=str(address),
            verification_token=token,
            expires_in=asked.get("expiresIn"),
        )
        return JSONResponse(self._shown(subscription))

    async def _subscription(self, request: Request) -> Response:
        return JSONResponse(self._shown(self._subscribed(request)))

    async def _unsubscribe(self, request: Request) -> Response:
        del self._platform.subscriptions[self._subscribed(request).id]
        return Response(status_code=204)

    async def _renew(self, request: Request) -> Response:
        subscription = self._subscribed(request)
        self._platform.renew(subscription)
        return JSONResponse(self._shown(subscription))

    def _subscribed(self, request: Request) -> Subscription:
        self._platform.purge()
        try:
            return self._platform.subscriptions[request.path_params["id"]]
        except KeyError:
            raise _Fault(404, "SUB-507", "Subscription is not found") from None

    def _shown(self, subscription: Subscription) -> dict[str, Any]:
        return shown(self._platform, subscription)


def shown(platform: Platform, subscription: Subscription) -> dict[str, Any]:
    """A subscription as the platform shows it; its verification token never is."""
    mode: dict[str, Any] = {"transportType": subscription.transport, "encryption": False}
    if subscription.address is not None:
        mode["address"] = subscription.address
    left = (subscription.expires - platform.now()).total_seconds()
    answer: dict[str, Any] = {
        "uri": f"{platform.url}/restapi/v1.0/subscription/{subscription.id}",
        "id": subscription.id,
        "creationTime": said(subscription.created),
        "status": subscription.status,
        "eventFilters": subscription.filters,
        "expirationTime": said(subscription.expires),
        "expiresIn": int(left),
        "deliveryMode": mode,
    }
    if subscription.disabled:
        answer["disabledFilters"] = [
            {
                "filter": filter_,
                "reason": "CMN-408",
                "message": "In order to call this API endpoint",
            }
            for filter_ in subscription.disabled
        ]
    if subscription.blacklisted:
        answer["blacklistedData"] = subscription.blacklisted
    return answer


def _refused_login(status: int, error: str, code: str, message: str) -> Response:
    return JSONResponse(
        {
            "error": error,
            "error_description": message,
            "errors": [{"errorCode": code, "message": message}],
        },
        status,
    )


def _whole(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, str(default))
    if not text.isdigit() or int(text) < 1:
        raise _Fault(400, "CMN-101", f"Parameter [{name}] value is invalid", name)
    return int(text)


def _asked(body: bytes) -> dict[str, Any]:
    try:
        asked = json.loads(body)
    except ValueError:
        asked = None
    if not isinstance(asked, dict):
        raise _Fault(400, "CMN-101", "Request body is invalid")
    return asked
