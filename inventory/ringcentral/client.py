"""
Requests to RingCentral: one token, one budget a group, and no secret in any error.

Ten calls are all that is needed; the vendor's SDK has no timeouts and shows tokens in its
exceptions. Everything here may be used from several threads at once.
"""

from __future__ import annotations

import base64
import copy
import json
import logging
import ssl
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeVar

import httpx
import stamina
from pydantic import BaseModel, ValidationError

from inventory.event import CONTACT_CENTER
from inventory.redaction import conceal
from inventory.ringcentral.budget import Budget, retry_after
from inventory.ringcentral.errors import (
    Denied,
    NotFound,
    OnlyReading,
    Refused,
    RingCentralError,
    Unavailable,
)
from inventory.ringcentral.model import (
    Subscription,
    SubscriptionList,
    TokenAnswer,
    WebSocketToken,
)
from inventory.ringcentral.page import PER_PAGE, Page, page_of
from inventory.ringcentral.token import AccessToken, Grant

TIMEOUT = httpx.Timeout(30.0, connect=10.0)
"""Seconds; the guide promises nothing, and a read of 1,000 numbers has been seen to take 10."""
ATTEMPTS = 5
PATIENCE = 300.0
"""Seconds that a request may wait for its budget and its attempts altogether."""
LIMITS = {"light": 50, "medium": 40, "heavy": 10, "auth": 5}
"""Requests a minute by group, until the headers say otherwise (developer guide, *Rate limits*)."""

_JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_GONE_SESSION = 401
_AT_ONCE = 0.001

log = logging.getLogger(__name__)

Answer = TypeVar("Answer", bound=BaseModel)


class Told(NamedTuple):
    """The time as a response told it, and as our clock had it before and after."""

    asked: datetime
    date: datetime
    answered: datetime


class RingCentral:
    """
    RingCentral's REST API for one user and app, by the JWT grant.

    Args:
        url: Where it is: RingCentral's own, a partner's, or a simulator.
        client_id: The app's.
        client_secret: The app's.
        jwt: The user's credential.
        ca: Certificate authorities to trust instead of the system's.
        only_reading: Whether everything but GET is refused here, once logged in.
        sleep: How to wait for the budget.
    """

    def __init__(
        self,
        url: str,
        *,
        client_id: str,
        client_secret: str,
        jwt: str,
        ca: ssl.SSLContext | None = None,
        only_reading: bool = False,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        conceal(client_secret)
        conceal(base64.b64encode(f"{client_id}:{client_secret}".encode()).decode())
        conceal(jwt)
        self._http = httpx.Client(
            base_url=url,
            timeout=TIMEOUT,
            verify=True if ca is None else ca,
            headers={"accept": "application/json"},
        )
        self._basic = httpx.BasicAuth(client_id, client_secret)
        self._jwt = jwt
        self._only_reading = only_reading
        self._sleep = sleep
        self._budgets = {group: Budget(limit) for group, limit in LIMITS.items()}
        self._token = AccessToken(self._log_in)
        self.requests = 0
        """Requests made so far, each attempt counted."""
        self.told: Told | None = None
        """What the latest response said the time was; null: none did."""
        self._scopes: frozenset[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._http.close()

    def scopes(self) -> frozenset[str] | None:
        """
        What the app may do, by RingCentral's names; null: the login did not say.

        Logs in if that has not been done; one attempt, not repeated.
        """
        self._token.get()
        return self._scopes

    def counting(self) -> RingCentral:
        """The same session and the same budgets, with a count of requests of its own."""
        other = copy.copy(self)
        other.requests = 0
        return other

    # Subscriptions

    def subscriptions(self) -> list[Subscription]:
        """Those that this user made with this app."""
        answer = self._call("GET", "/restapi/v1.0/subscription", "light")
        return _read(SubscriptionList, answer, "the subscriptions").records

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
        answer = self._call("POST", "/restapi/v1.0/subscription", "medium", body, again=False)
        return _read(Subscription, answer, "the new subscription")

    def renew_subscription(self, subscription_id: str) -> Subscription:
        """
        Begin its term anew.

        By POST …/renew, which keeps the term; PUT without a body would make it 7 days.
        """
        path = f"/restapi/v1.0/subscription/{subscription_id}/renew"
        answer = self._call("POST", path, "light")
        return _read(Subscription, answer, "the renewed subscription")

    def delete_subscription(self, subscription_id: str) -> None:
        """End it; one that is not there is ended already."""
        try:
            self._call("DELETE", f"/restapi/v1.0/subscription/{subscription_id}", "medium")
        except NotFound:
            log.info("subscription %s had ended already", subscription_id)

    def websocket_token(self) -> WebSocketToken:
        """What opens one WebSocket, within seconds from now."""
        answer = self._call("POST", "/restapi/oauth/wstoken", "auth", again=False)
        token = _read(WebSocketToken, answer, "a WebSocket token")
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
            return self._call("GET", path, "light").text
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
        answer = self._call(
            "GET",
            "/restapi/v1.0/account/~/phone-number",
            "heavy",
            params={"usageType": CONTACT_CENTER, "perPage": str(PER_PAGE), "page": str(page)},
        )
        return page_of(answer, f"page {page} of the account's numbers")

    def may(self, permission: str) -> bool:
        """Whether the user's role has *permission*."""
        path = "/restapi/v1.0/account/~/extension/~/authz-profile/check"
        answer = self._call("GET", path, "light", params={"permissionId": permission})
        return _object(answer, "whether we have a permission").get("successful") is True

    def account_id(self) -> str:
        """The id of the user's account."""
        answer = self._call("GET", "/restapi/v1.0/account/~", "light")
        found = _object(answer, "our account").get("id")
        if not str(found).isdigit():
            raise Unavailable("the id of our account", "an answer without it")
        return str(found)

    # How a request is made

    def _call(
        self,
        method: str,
        path: str,
        group: str,
        body: object = None,
        *,
        params: dict[str, str] | None = None,
        again: bool = True,
    ) -> httpx.Response:
        """
        The answer, of a status below 400.

        Args:
            method: HTTP's.
            path: From the base URL.
            group: Whose budget pays for it.
            body: To be sent as JSON.
            params: Of the query.
            again: Whether it may be repeated when nobody knows whether it was done.

        Raises:
            Unavailable: It may be tried later.
            Denied: It is not allowed.
            NotFound: There is no such thing.
            Refused: It never will be done.
        """
        what = f"{method} {path}"
        if self._only_reading and method != "GET":
            raise OnlyReading(what)

        def worth_it(error: Exception) -> bool | float:
            if isinstance(error, _TooMany):
                return _AT_ONCE  # its budget is closed for a while, and waits
            return again and isinstance(error, Unavailable)

        for attempt in stamina.retry_context(
            worth_it, attempts=ATTEMPTS, timeout=PATIENCE, wait_initial=1, wait_max=60
        ):
            with attempt:
                return self._authorized(what, method, path, group, body, params)
        raise AssertionError("stamina raises the last error")

    def _authorized(
        self,
        what: str,
        method: str,
        path: str,
        group: str,
        body: object,
        params: dict[str, str] | None,
    ) -> httpx.Response:
        for last in (False, True):
            token = self._token.get()
            response = self._send(
                what,
                group,
                self._http.build_request(
                    method,
                    path,
                    json=body,
                    params=params,
                    headers={"authorization": f"Bearer {token}"},
                ),
            )
            if response.status_code == _GONE_SESSION and not last:
                # Our session may have been ended by another login; log in again, once.
                self._token.reject(token)
                continue
            break
        return _judged(what, response)

    def _log_in(self) -> Grant:
        what = "a login"
        request = self._http.build_request(
            "POST",
            "/restapi/oauth/token",
            data={"grant_type": _JWT_GRANT, "assertion": self._jwt},
        )
        response = self._send(what, "auth", next(self._basic.auth_flow(request)))
        if response.status_code in (httpx.codes.BAD_REQUEST, httpx.codes.UNAUTHORIZED):
            raise Denied(
                what,
                *_complaint(response),
                code=_oauth_error(response),
                request_id=_request_id(response),
            )
        grant = _read(TokenAnswer, _judged(what, response), what)
        self._scopes = None if grant.scope is None else frozenset(grant.scope.split())
        return Grant(grant.access_token, grant.expires_in)

    def _send(self, what: str, group: str, request: httpx.Request) -> httpx.Response:
        budget = self._budgets[group]
        waited = 0.0
        while (wait := budget.spend()) > 0:
            waited += wait
            if waited > PATIENCE:
                raise Unavailable(what, f"no room in the rate limit of group {group}")
            log.info("waiting %.1f s for the rate limit of group %s", wait, group)
            self._sleep(wait)
        self.requests += 1
        asked = datetime.now(UTC)
        try:
            response = self._http.send(request)
        except httpx.HTTPError as error:
            # Its text names the host at most, but its request holds our token.
            raise Unavailable(what, f"{type(error).__name__}: {error}") from None
        budget.learn(response.headers)
        date = _date(response)
        self.told = None if date is None else Told(asked, date, datetime.now(UTC))
        log.info("%s: %d, RCRequestId %s", what, response.status_code, _request_id(response))
        if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
            raise _TooMany(what, response, budget.close(retry_after(response.headers)))
        return response


class _TooMany(Unavailable):
    """429: RingCentral did nothing, and wants to be left alone for a while."""

    def __init__(self, what: str, response: httpx.Response, wait: float) -> None:
        super().__init__(
            what, "too many requests", code=_code(response), request_id=_request_id(response)
        )
        self.retry_after = wait


def _judged(what: str, response: httpx.Response) -> httpx.Response:
    status = response.status_code
    if status < httpx.codes.MULTIPLE_CHOICES:
        return response
    kind: type[RingCentralError] = Refused
    if status >= httpx.codes.INTERNAL_SERVER_ERROR or status == httpx.codes.REQUEST_TIMEOUT:
        kind = Unavailable
    elif status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        kind = Denied
    elif status == httpx.codes.NOT_FOUND:
        kind = NotFound
    raise kind(
        what,
        _complaint(response)[0],
        code=_code(response),
        parameter=_parameter(response),
        request_id=_request_id(response),
    )


def _complaint(response: httpx.Response) -> tuple[str]:
    """What an answer says is wrong: the status, the code, the message."""
    said = _members(response)
    message = said.get("message") or said.get("error_description") or response.reason_phrase
    code = _code(response)
    return (" ".join(filter(None, [str(response.status_code), code, str(message)[:500]])),)


def _code(response: httpx.Response) -> str | None:
    said = _members(response)
    code = _first_error(said).get("errorCode") or said.get("errorCode")
    return str(code or said["error"]) if code or said.get("error") else None


def _oauth_error(response: httpx.Response) -> str | None:
    """RFC 6749's code, which says which of the credentials is wrong."""
    code = _members(response).get("error")
    return code if isinstance(code, str) else _code(response)


def _date(response: httpx.Response) -> datetime | None:
    try:
        return parsedate_to_datetime(response.headers["date"]).astimezone(UTC)
    except (KeyError, ValueError):
        return None


def _parameter(response: httpx.Response) -> str | None:
    said = _members(response)
    name = _first_error(said).get("parameterName") or said.get("parameterName")
    return None if name is None else str(name)


def _first_error(said: dict[str, Any]) -> dict[str, Any]:
    errors = said.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    return first if isinstance(first, dict) else {}


def _request_id(response: httpx.Response) -> str | None:
    found: str | None = response.headers.get("rcrequestid")
    return found


def _members(response: httpx.Response) -> dict[str, Any]:
    try:
        found = response.json()
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _object(response: httpx.Response, what: str) -> dict[str, Any]:
    try:
        found = json.loads(response.content)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Unavailable(
            what, "an answer that is not a JSON object", request_id=_request_id(response)
        )
    return found


def _read(model: type[Answer], response: httpx.Response, what: str) -> Answer:
    try:
        return model.model_validate(_object(response, what))
    except ValidationError as error:
        # Their messages would quote what they found, which may be a token.
        places = sorted({".".join(map(str, fault["loc"])) for fault in error.errors()})
        raise Unavailable(
            what, f"an answer with unusable {', '.join(places)}", request_id=_request_id(response)
        ) from None
