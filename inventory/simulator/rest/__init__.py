"""RingCentral's REST API, as far as the product calls it: who is let in, and to what."""

from __future__ import annotations

import asyncio
import uuid

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from inventory.simulator.delivery import Delivery
from inventory.simulator.limits import Verdict
from inventory.simulator.platform import Platform
from inventory.simulator.rest.account import Account
from inventory.simulator.rest.numbers import Numbers
from inventory.simulator.rest.oauth import OAuth
from inventory.simulator.rest.operation import Operation, Refusal, not_found
from inventory.simulator.rest.subscriptions import Subscriptions


class Rest:
    """
    The routes.

    Args:
        platform: What answers are made of.
        delivery: What validates the address of a new subscription.
    """

    def __init__(self, platform: Platform, delivery: Delivery) -> None:
        self._platform = platform
        self.operations = [
            *OAuth(platform).operations(),
            *Account(platform).operations(),
            *Numbers(platform).operations(),
            *Subscriptions(platform, delivery).operations(),
        ]
        self.refused = 0
        """Requests answered 503."""
        self.throttled = 0
        """Requests answered 429."""

    def routes(self) -> list[Route]:
        """What Starlette wants."""
        return [self._route(operation) for operation in self.operations]

    def _route(self, operation: Operation) -> Route:
        async def endpoint(request: Request) -> Response:
            platform = self._platform
            if platform.chance.random() < platform.faults.slow:
                await asyncio.sleep(platform.chance.uniform(0, platform.faults.slow_seconds))
            throttled = platform.chance.random() < platform.faults.throttle
            judge = platform.limits.punish if throttled else platform.limits.judge
            verdict = judge(operation.group)
            try:
                self._admit(request, verdict, needs_token=operation.needs_token)
                response = await operation.answer(request)
            except Refusal as refusal:
                response = JSONResponse(refusal.body(), refusal.status)
            response.headers.update({"RCRequestId": str(uuid.uuid4()), **verdict.headers})
            return response

        return Route(operation.path, endpoint, methods=[operation.method])

    def _admit(self, request: Request, verdict: Verdict, *, needs_token: bool) -> None:
        platform = self._platform
        if not verdict.allowed:
            self.throttled += 1
            raise Refusal(429, "CMN-301", "Request rate exceeded")
        if platform.chance.random() < platform.faults.refuse:
            self.refused += 1
            raise Refusal(503, "CMN-211", "Service is temporary unavailable")
        if not needs_token:
            return
        if platform.chance.random() < platform.faults.forget_tokens:
            platform.end_sessions()
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not platform.knows(token):
            raise Refusal(401, "TokenInvalid", "Token not found")
        ours = {"accountId": platform.account_id, "extensionId": platform.application.extension_id}
        for parameter, id_ in ours.items():
            if request.path_params.get(parameter, "~") not in ("~", id_):
                raise not_found(parameter)
