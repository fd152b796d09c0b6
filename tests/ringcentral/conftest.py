"""A simulated RingCentral on a real socket, and clients of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import pytest

from inventory.cli.listening import served
from inventory.ringcentral import RingCentral
from inventory.simulator import Limits, Platform, Simulator


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
    limits = Limits(dict.fromkeys(("light", "medium", "heavy", "auth"), 1000), penalty=0.3)
    with simulating(Platform(limits=limits)) as it:
        yield it


@pytest.fixture
def client(simulated: Simulated) -> Iterator[RingCentral]:
    with simulated.client() as client:
        yield client
