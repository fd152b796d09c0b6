"""
A RingCentral to test against: there is no sandbox any more.

It shares no code with the product, so that what both believe of the platform was written twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import TypeVar

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from inventory.simulator.churn import Churn
from inventory.simulator.delivery import Delivery
from inventory.simulator.faults import Faults
from inventory.simulator.gateway import Gateway
from inventory.simulator.limits import Limits
from inventory.simulator.platform import Application, Platform
from inventory.simulator.rest import Rest

__all__ = ["Application", "Churn", "Faults", "Limits", "Platform", "Simulator"]


Result = TypeVar("Result")

REMINDER_JOB = 0.1
"""Seconds between looks at who is to be reminded."""


class Simulator:
    """
    The platform on the network.

    Everything happens within the event loop that serves it; `call` is for other threads.

    Args:
        platform: What is simulated.
        churn: What happens to its numbers unasked; null: nothing.
        rate: Changes a second.
    """

    def __init__(self, platform: Platform, *, churn: Churn | None = None, rate: float = 0) -> None:
        self.platform = platform
        self.delivery = Delivery(platform)
        self.gateway = Gateway(platform)
        self.rest = Rest(platform, self.delivery)
        self._churn = churn
        self._rate = rate
        self._loop: asyncio.AbstractEventLoop
        platform.tell = self.delivery.tell
        self.delivery.by_websocket = self.gateway.send

    def application(self) -> Starlette:
        """The ASGI application."""
        return Starlette(
            routes=[
                *self.rest.routes(),
                self.gateway.route(),
                Route("/simulator", self._about),
                Route("/simulator/faults", self._set_faults, methods=["PUT"]),
                Route("/simulator/changes", self._change, methods=["POST"]),
            ],
            lifespan=self._up,
        )

    @asynccontextmanager
    async def _up(self, _: Starlette) -> AsyncIterator[None]:
        self._loop = asyncio.get_running_loop()
        going_on = [asyncio.create_task(each) for each in (self._churn_on(), self._remind())]
        try:
            yield
        finally:
            for task in going_on:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            await self.delivery.close()

    async def _churn_on(self) -> None:
        while self._churn is not None and self._rate > 0:
            await asyncio.sleep(self.platform.chance.expovariate(self._rate))
            self._churn.step()

    async def _remind(self) -> None:
        while True:
            await asyncio.sleep(REMINDER_JOB)
            self.platform.remind()

    def call(self, work: Callable[[], Result]) -> Result:
        """Do *work* within the event loop, and come back with what it returned."""

        async def within() -> Result:
            return work()

        return asyncio.run_coroutine_threadsafe(within(), self._loop).result()

    def drain(self) -> None:
        """Come back when all that was told has been delivered."""
        asyncio.run_coroutine_threadsafe(self.delivery.drain(), self._loop).result()

    def quiet(self) -> None:
        """Let nothing happen any more, unasked."""
        self._rate = 0

    async def _about(self, _: Request) -> JSONResponse:
        """What has been going on."""
        platform, delivery = self.platform, self.delivery
        return JSONResponse(
            {
                "account_id": platform.account_id,
                "contact_center_numbers": len(platform.contact_center()),
                "told": platform.told,
                "acknowledged": delivery.acknowledged,
                "failed": delivery.failed,
                "dropped": delivery.dropped,
                "delayed": delivery.delayed,
                "duplicated": delivery.duplicated,
                "corrupted": delivery.corrupted,
                "logins": platform.logins,
                "refused": self.rest.refused,
                "throttled": self.rest.throttled,
                "penalties_restarted": platform.limits.restarted,
                "faults": platform.faults.model_dump(),
            }
        )

    async def _set_faults(self, request: Request) -> JSONResponse:
        """Change what goes wrong, by name; what is not named stays."""
        try:
            merged = self.platform.faults.model_dump() | await request.json()
            self.platform.faults = Faults.model_validate(merged)
        except (ValueError, TypeError) as error:
            return JSONResponse({"error": str(error)}, 422)
        return JSONResponse(self.platform.faults.model_dump())

    async def _change(self, request: Request) -> JSONResponse:
        """Let so many changes happen now, `?count=`, 1 unless told."""
        count = request.query_params.get("count", "1")
        if not (count.isascii() and count.isdecimal() and len(count) < 7):
            return JSONResponse({"error": f"count: expected a whole number, got {count!r}"}, 422)
        churn = self._churn or Churn(self.platform)
        for _ in range(int(count)):
            churn.step()
        return await self._about(request)
