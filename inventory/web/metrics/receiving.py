"""What the receiver counts."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

from inventory.ingest import Outcome

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0)
"""Seconds: at 2.5 we say that the database could not do it, at 3 RingCentral gives up."""
WRITTEN = frozenset({200, 503})
"""Statuses of what was, or should have been, made durable; others are answered out of hand."""


class Receiving:
    """What RingCentral delivers, counted by how it was answered and by what became of it."""

    def __init__(self) -> None:
        deliveries = Counter(
            "inventory_deliveries",
            "Answers to RingCentral's deliveries by status; 200: acknowledged",
            ["status"],
            registry=None,
        )
        acknowledgement = Histogram(
            "inventory_acknowledgement_seconds",
            "From a delivery's head to its answer, of those answered with 200 or 503",
            buckets=BUCKETS,
            registry=None,
        )
        notifications = Counter(
            "inventory_notifications",
            "Notifications delivered that are durable, by what became of them",
            ["outcome"],
            registry=None,
        )
        self.metrics = (deliveries, acknowledgement, notifications)
        self._deliveries = deliveries
        # Looked up once: the receiver has no time to look for labels.
        self._acknowledged = deliveries.labels("200")
        self._acknowledgement = acknowledgement
        self._appended = notifications.labels("appended")
        self._duplicates = notifications.labels("duplicate")
        self._quarantined = notifications.labels("quarantined")

    def answered(self, status: int, seconds: float) -> None:
        """Count a delivery that was answered so, after so long."""
        if status == 200:
            self._acknowledged.inc()
        else:
            self._deliveries.labels(str(status)).inc()
        if status in WRITTEN:
            self._acknowledgement.observe(seconds)

    def took(self, outcome: Outcome) -> None:
        """Count what became of notifications."""
        self._appended.inc(outcome.appended)
        self._duplicates.inc(outcome.duplicates)
        self._quarantined.inc(outcome.quarantined)
