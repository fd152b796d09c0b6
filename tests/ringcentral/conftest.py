"""A simulated RingCentral on a real socket, and clients of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from inventory.cli.listening import served
from inventory.ringcentral import RingCentral
from inventory.simulator import Limits, Platform, Simulator
from inventory.simulator.rest.oauth import JWT_GRANT


class Simulated(NamedTuple):
    """A RingCentral that is up."""

    simulator: Simulator
    platform: Platform
    url: str

    def client(self) -> RingCentral:
        """A new client, with a session of its own."""
        return RingCentral(
            self.url,
            client_id=self.platform.application.client_id,
            client_secret=self.platform.application.client_secret,
            jwt=self.platform.application.jwt,
        )

    @contextmanager
    def http(self) -> Iterator[httpx.Client]:
        """Plain HTTP, with a session of its own."""
        app = self.platform.application
        with httpx.Client(base_url=self.url, trust_env=False, timeout=30) as http:
            granted = http.post(
                "/restapi/oauth/token",
                data={"grant_type": JWT_GRANT, "assertion": app.jwt},
                auth=(app.client_id, app.client_secret),
            ).json()
            http.headers["authorization"] = f"Bearer {granted['access_token']}"
            yield http

    def settings(self) -> dict[str, str]:
        """What gives access to it, as settings."""
        return {
            "ringcentral_url": self.url,
            "ringcentral_client_id": self.platform.application.client_id,
            "ringcentral_client_secret": self.platform.application.client_secret,
            "ringcentral_jwt": self.platform.application.jwt,
        }


@contextmanager
def simulating(platform: Platform) -> Iterator[Simulated]:
    simulator = Simulator(platform)
    with served(simulator.application()) as url:
        platform.url = url
        yield Simulated(simulator, platform, url)


@pytest.fixture
def simulated() -> Iterator[Simulated]:
    """With limits that are far away, and short penalties."""
    with simulating(Platform(limits=far_limits())) as it:
        yield it


def far_limits() -> Limits:
    return Limits(dict.fromkeys(("light", "medium", "heavy", "auth"), 1000), penalty=0.3)


@pytest.fixture
def client(simulated: Simulated) -> Iterator[RingCentral]:
    with simulated.client() as client:
        yield client


@pytest.fixture
def http(simulated: Simulated) -> Iterator[httpx.Client]:
    with simulated.http() as http:
        yield http


class Receiver:
    """Where webhooks are delivered; it answers as it is told to."""

    def __init__(self) -> None:
        self.url = ""
        self.status = 200
        self.requests: list[Request] = []
        self.bodies: list[bytes] = []

    async def answer(self, request: Request) -> Response:
        body = await request.body()
        challenge = request.headers.get("validation-token")
        if challenge is not None:
            headers = {"validation-token": challenge}
            return Response(b"{}", headers=headers, media_type="application/json")
        self.requests.append(request)
        self.bodies.append(body)
        return Response(b"{}", self.status, media_type="application/json")

    def told(self) -> list[Any]:
        """What was delivered, less what is no JSON."""
        found = []
        for body in self.bodies:
            try:
                found.append(json.loads(body))
            except ValueError:
                continue
        return found


@contextmanager
def receiving() -> Iterator[Receiver]:
    it = Receiver()
    with served(Starlette(routes=[Route("/", it.answer, methods=["POST"])])) as url:
        it.url = f"{url}/"
        yield it


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as it:
        yield it
