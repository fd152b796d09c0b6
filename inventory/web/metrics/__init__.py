"""
`/metrics`: how it goes, as Prometheus reads it.

What the database knows is true of all processes on it, and every one of them tells it; what is
counted here is this process's own, since it began. No label holds an account, a number or a
subscription: what there is of many is told as their sum, or as the worst of them.
"""

from __future__ import annotations

from importlib.metadata import version

from prometheus_client import CollectorRegistry, Info
from prometheus_client.exposition import choose_encoder
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from inventory.errands import Errands
from inventory.web.metrics.receiving import Receiving
from inventory.web.metrics.running import Running
from inventory.web.metrics.stored import Stored
from inventory.web.readers import Readers, unavailability

__all__ = ["Metrics", "Receiving"]


class Metrics:
    """
    What is counted, and what is asked of the database when somebody looks.

    Args:
        readers: Who see quarantine and subscriptions.
        receiving: What the receiver counts.
        errands: Whose troubles, and whose room in RingCentral's rate limits, are told.
    """

    def __init__(self, readers: Readers, receiving: Receiving, errands: Errands) -> None:
        self._readers = readers
        # Of its own, since the library's is shared by all that a process does.
        self._registry = CollectorRegistry()
        about = Info("inventory", "The program that answers", registry=self._registry)
        about.info({"version": version("inventory")})
        for metric in (*receiving.metrics, Running(errands), Stored(readers.engine)):
            self._registry.register(metric)

    def route(self) -> Route:
        """`/metrics`."""

        async def metrics(request: Request) -> Response:
            encode, media_type = choose_encoder(request.headers.get("accept", ""))

            def written() -> bytes:
                with unavailability():
                    return encode(self._registry)
                raise AssertionError("a context that raises what it does not let pass")

            return Response(await self._readers.apart(written), media_type=media_type)

        return Route("/metrics", metrics)
