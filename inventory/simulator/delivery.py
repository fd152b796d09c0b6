"""Delivery as the platform does it, by webhook or WebSocket, with what it does wrong."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import NamedTuple

import httpx

from inventory.simulator.platform import Platform
from inventory.simulator.subscription import Subscription

ANSWER_WITHIN = 3.0
LONGEST_RESPONSE = 1024
HEADERS = {
    "accept": "application/json",
    "accept-encoding": "UTF-8",
    "user-agent": "RingCentral-Webhook/8.3",
}


class HandshakeFailed(Exception):
    """The address does not answer as it must; no subscription is made."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        self.message = message
        super().__init__(message)


class Delivered(NamedTuple):
    """How an address answered."""

    fault: str | None
    """Why it counts as failed; null: it does not."""
    seconds: float
    headers: httpx.Headers


class Delivery:
    """
    Delivers what the platform tells, each notification by itself.

    Args:
        platform: Whose; its faults are looked up at each delivery.
    """

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._http = httpx.AsyncClient(
            timeout=ANSWER_WITHIN, limits=httpx.Limits(max_connections=100), trust_env=False
        )
        self.by_websocket: Callable[[Subscription, bytes], Awaitable[None]] | None = None
        self._under_way: set[asyncio.Task[None]] = set()
        self.acknowledged = 0
        self.failed = 0
        """Deliveries that were not answered as they must be; they are not sent again."""
        self.dropped = 0
        self.delayed = 0
        self.duplicated = 0
        self.corrupted = 0

    async def validate(self, address: str, token: str | None) -> None:
        """
        The handshake.

        Raises:
            HandshakeFailed: As the platform would refuse the subscription.
        """
        challenge = str(uuid.uuid4())
        answer = await self._post(address, b"", token, {"validation-token": challenge})
        if answer.fault is not None and "max size" in answer.fault:
            raise HandshakeFailed("SUB-525", "WebHook server response is invalid")
        if answer.fault is not None:
            raise HandshakeFailed(
                "CMN-101", f"Parameter [deliveryMode.address] value is invalid. {answer.fault}"
            )
        if answer.headers.get("validation-token") != challenge:
            raise HandshakeFailed("SUB-520", "Validation Token is not returned")
        if not answer.headers.get("content-type", "").startswith("application/json"):
            raise HandshakeFailed("SUB-525", "WebHook server response is invalid")

    def tell(self, subscription: Subscription, payload: bytes) -> None:
        """Deliver *payload* some time soon, or never, or twice, as the faults have it."""
        chance, faults = self._platform.chance, self._platform.faults
        if chance.random() < faults.drop:
            self.dropped += 1
            return
        wait = 0.0
        if chance.random() < faults.delay:
            self.delayed += 1
            wait = chance.uniform(0, faults.delay_seconds)
        payloads = [payload]
        if chance.random() < faults.corrupt:
            self.corrupted += 1
            payloads.insert(0, payload[: len(payload) // 2])
        if chance.random() < faults.duplicate:
            self.duplicated += 1
            payloads.append(payload)
        task = asyncio.get_running_loop().create_task(self._deliver(subscription, payloads, wait))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def drain(self) -> None:
        """Come back when nothing is under way."""
        while self._under_way:
            await asyncio.gather(*self._under_way, return_exceptions=True)

    async def close(self) -> None:
        """Deliver nothing more."""
        for task in self._under_way:
            task.cancel()
        await self.drain()
        await self._http.aclose()

    async def _deliver(
        self, subscription: Subscription, payloads: list[bytes], wait: float
    ) -> None:
        await asyncio.sleep(wait)
        for payload in payloads:
            if subscription.transport == "WebSocket":
                if self.by_websocket is not None:
                    await self.by_websocket(subscription, payload)
                continue
            answer = await self._post(
                subscription.address or "", payload, subscription.verification_token, {}
            )
            self._count(subscription, answer)

    def _count(self, subscription: Subscription, answer: Delivered) -> None:
        now = datetime.now(UTC)
        if answer.fault is None:
            self.acknowledged += 1
            subscription.failing_since = None
            return
        self.failed += 1
        subscription.failing_since = subscription.failing_since or now
        if now - subscription.failing_since >= self._platform.blacklist_after:
            self._platform.blacklist(subscription, answer.fault)

    async def _post(
        self, address: str, payload: bytes, token: str | None, headers: dict[str, str]
    ) -> Delivered:
        headers = {**HEADERS, "content-type": "application/json; charset=UTF-8", **headers}
        if token is not None:
            headers["verification-token"] = token
        begun = time.monotonic()
        answered = httpx.Headers()
        fault: str | None
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                response = await self._http.post(address, content=payload, headers=headers)
        except (httpx.TimeoutException, TimeoutError):
            fault = "I/O operation is failed. Details: [Read timed out]"
        except (httpx.HTTPError, httpx.InvalidURL):
            fault = "I/O operation is failed. Details: [Connection refused]"
        else:
            answered = response.headers
            fault = _fault_of(response)
        return Delivered(fault, time.monotonic() - begun, answered)


def _fault_of(response: httpx.Response) -> str | None:
    if response.status_code != httpx.codes.OK:
        return (
            f"Webhook responses with code: [{response.status_code}], "
            f"reason: [{response.reason_phrase}]"
        )
    head = sum(len(name) + len(value) + 4 for name, value in response.headers.raw)
    if len("HTTP/1.1 200 OK\r\n\r\n") + head + len(response.content) > LONGEST_RESPONSE:
        return f"Webhook response exceeds max size. Read bytes count: [{LONGEST_RESPONSE}]"
    return None
