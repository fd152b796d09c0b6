"""How it goes with what runs beside the receiver, in this process."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from inventory.errands import Errands


class Running(Collector):
    """
    Which of the errands fail, and what is left of RingCentral's rate limits.

    The limits are told only by who has access; those that a command of its own spends in a process
    of its own are seen once RingCentral's answers say so.
    """

    def __init__(self, errands: Errands) -> None:
        self._errands = errands

    def describe(self) -> list[GaugeMetricFamily]:
        """What there may be, without a look at anything."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """As of now."""
        failing = GaugeMetricFamily(
            "inventory_worker_failing",
            "1 while the latest turn of a worker failed, or it has stopped; the log says why",
            labels=["worker"],
        )
        for name, fault in self._errands.faults().items():
            failing.add_metric([name], fault is not None)
        yield failing
        left = GaugeMetricFamily(
            "inventory_ringcentral_requests_left",
            "Requests of a group that RingCentral's rate limit lets this process make at once",
            labels=["group"],
        )
        limit = GaugeMetricFamily(
            "inventory_ringcentral_requests_limit",
            "Requests of a group that RingCentral's rate limit allows in its window, a minute",
            labels=["group"],
        )
        for group, budget in self._errands.budgets().items():
            left.add_metric([group], budget.left())
            limit.add_metric([group], budget.limit)
        yield left
        yield limit
