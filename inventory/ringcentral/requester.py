"""
How a request to RingCentral is made: one token, one budget a group, and no secret in any error.

Everything here may be used from several threads at once.
"""

from __future__ import annotations

import base64
import copy
import logging
import ssl
import time
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import NamedTuple, Self

import httpx
import stamina

from inventory.redaction import conceal
from inventory.ringcentral.answers import (
    code_of,
    complaint,
    date_of,
    judged,
    oauth_error,
    read,
    request_id_of,
)
from inventory.ringcentral.budget import Budget, retry_after
from inventory.ringcentral.errors import Denied, OnlyReading, Unavailable
from inventory.ringcentral.model import TokenAnswer
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


class Told(NamedTuple):
    """The time as a response told it, and as our clock had it before and after."""

    asked: datetime
    date: datetime
    answered: datetime


class Requester:
    """
    Makes requests for one user and app, by the JWT grant.

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
        self.budgets = {group: Budget(limit) for group, limit in LIMITS.items()}
        """What is left of the rate limits, by group."""
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

    def counting(self) -> Self:
        """The same session and the same budgets, with a count of requests of its own."""
        other = copy.copy(self)
        other.requests = 0
        return other

    def call(
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
        return judged(what, response)

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
                *complaint(response),
                code=oauth_error(response),
                request_id=request_id_of(response),
            )
        grant = read(TokenAnswer, judged(what, response), what)
        self._scopes = None if grant.scope is None else frozenset(grant.scope.split())
        return Grant(grant.access_token, grant.expires_in)

    def _send(self, what: str, group: str, request: httpx.Request) -> httpx.Response:
        budget = self.budgets[group]
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
        date = date_of(response)
        self.told = None if date is None else Told(asked, date, datetime.now(UTC))
        log.info("%s: %d, RCRequestId %s", what, response.status_code, request_id_of(response))
        if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
            raise _TooMany(what, response, budget.close(retry_after(response.headers)))
        return response


class _TooMany(Unavailable):
    """429: RingCentral did nothing, and wants to be left alone for a while."""

    def __init__(self, what: str, response: httpx.Response, wait: float) -> None:
        super().__init__(
            what, "too many requests", code=code_of(response), request_id=request_id_of(response)
        )
        self.retry_after = wait
