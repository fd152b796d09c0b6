"""
`/metrics`: how it goes, in the text format of Prometheus.

What the database knows is true of all processes on it; what is counted here is this process's own,
since it began.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.metadata import version
from typing import Any, Literal, NamedTuple, TypeAlias

from sqlalchemy import Connection, RowMapping
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from inventory import read_model
from inventory.ingest import Outcome
from inventory.web.readers import Readers

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


Kind: TypeAlias = Literal["counter", "gauge"]


class Metric(NamedTuple):
    """One metric, and its value for each set of labels."""

    name: str
    kind: Kind
    help: str
    samples: list[tuple[Mapping[str, Any], float]]


class Metrics:
    """
    What is counted, and what is asked of the database when somebody looks.

    Args:
        readers: Who see quarantine and subscriptions.
        deliveries: The receiver's answers so far, by their statuses.
        faults: What each errand is failing at; null: nothing.
    """

    def __init__(
        self,
        readers: Readers,
        deliveries: Counter[int],
        faults: Callable[[], Mapping[str, str | None]],
    ) -> None:
        self._readers = readers
        self._deliveries = deliveries
        self._faults = faults
        self._taken = Outcome()

    def took(self, outcome: Outcome) -> None:
        """Count what became of notifications."""
        self._taken += outcome

    def route(self) -> Route:
        """`/metrics`."""

        async def metrics(_: Request) -> Response:
            stored = await self._readers.read(lambda connection: list(_stored(connection)))
            return Response("".join(map(_text, [*self._counted(), *stored])), media_type=MEDIA_TYPE)

        return Route("/metrics", metrics)

    def _counted(self) -> Iterator[Metric]:
        yield Metric(
            "inventory_info",
            "gauge",
            "The program that answers",
            [({"version": version("inventory")}, 1)],
        )
        yield Metric(
            "inventory_deliveries_total",
            "counter",
            "Answers to RingCentral's deliveries by status; 200: acknowledged",
            [({"status": status}, count) for status, count in sorted(self._deliveries.items())],
        )
        yield Metric(
            "inventory_notifications_total",
            "counter",
            "Notifications delivered that are durable, by what became of them",
            [
                ({"outcome": "appended"}, self._taken.appended),
                ({"outcome": "duplicate"}, self._taken.duplicates),
                ({"outcome": "quarantined"}, self._taken.quarantined),
            ],
        )
        yield Metric(
            "inventory_worker_failing",
            "gauge",
            "1 while the latest turn of a worker failed; the log says why",
            [({"worker": name}, bool(fault)) for name, fault in sorted(self._faults().items())],
        )


ACCOUNT: tuple[tuple[str, Kind, str, str], ...] = (
    ("inventory_events_total", "counter", "head", "Events in the log: its head, for it is dense"),
    ("inventory_projected_position", "gauge", "projected_position", "Events that are folded"),
    ("inventory_lag_events", "gauge", "lag_events", "Events recorded and not folded yet"),
    (
        "inventory_lag_seconds",
        "gauge",
        "lag_seconds",
        "How long the oldest of them has waited; 0: none waits",
    ),
    (
        "inventory_last_notification_timestamp_seconds",
        "gauge",
        "last_notification_at",
        "When RingCentral last told us anything; long silence is normal and proves nothing",
    ),
    (
        "inventory_last_reconciliation_timestamp_seconds",
        "gauge",
        "last_reconciliation_at",
        "When a complete reconciliation last ended",
    ),
)
"""Of each account: the metric, its kind, the column of `freshness`, and what it says."""


def _stored(connection: Connection) -> Iterator[Metric]:
    """What the database knows."""
    accounts = connection.execute(read_model.freshness()).mappings().all()
    for name, kind, column, said in ACCOUNT:
        samples = _samples(accounts, ("account_id",), column)
        yield Metric(name, kind, said, samples)
    yield Metric(
        "inventory_quarantine_open",
        "gauge",
        "Items in quarantine that nobody has decided on",
        [({}, read_model.open_quarantine(connection))],
    )
    subscriptions = connection.execute(read_model.subscriptions()).mappings().all()
    yield Metric(
        "inventory_subscription_expiry_timestamp_seconds",
        "gauge",
        "When a subscription of RingCentral's ends unless it is renewed, as last seen",
        _samples(subscriptions, ("subscription_id", "status", "transport"), "expires_at"),
    )


def _samples(
    rows: Iterable[RowMapping], labels: tuple[str, ...], column: str
) -> list[tuple[Mapping[str, Any], float]]:
    """The values of *column*, less those that are unknown."""
    return [
        ({label: row[label] for label in labels}, _number(row[column]))
        for row in rows
        if row[column] is not None
    ]


def _number(value: Any) -> float:
    return float(value.timestamp() if hasattr(value, "timestamp") else value)


def _text(metric: Metric) -> str:
    lines = [f"# HELP {metric.name} {metric.help}", f"# TYPE {metric.name} {metric.kind}"]
    for labels, value in metric.samples:
        given = ",".join(f'{name}="{_escaped(str(label))}"' for name, label in labels.items())
        lines.append(f"{metric.name}{f'{{{given}}}' if given else ''} {_written(float(value))}")
    return "".join(f"{line}\n" for line in lines)


def _escaped(label: str) -> str:
    return label.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _written(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)
