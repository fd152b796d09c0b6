"""What the database knows, over all accounts together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, get_args

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import Connection, Engine

from inventory import read_model
from inventory.reconciliation.causes import Cause
from inventory.subscription import tells_of_numbers

OUTCOMES = ("complete", "incomplete", "refused", "failed", "crashed")
CLASSES = (*get_args(Cause), "late event", "undecided")


class Stored(Collector):
    """
    Asks the database when it is collected.

    Args:
        engine: Of somebody who sees everything.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def describe(self) -> list[Metric]:
        """What there may be, without a look at the database."""
        return []

    def collect(self) -> Iterator[Metric]:
        """As of now, in one snapshot."""
        with self._engine.connect() as connection:
            yield from _currency(connection)
            yield from _reconciliation(connection)
            yield from _subscriptions(connection)
            yield _counts(
                "inventory_quarantine_open",
                "Items in quarantine that nobody has decided on, by why they are no events",
                "reason",
                {
                    row["reason"]: row["items"]
                    for row in read_model.quarantined_by_reason(connection)
                },
            )


def _currency(connection: Connection) -> Iterator[Metric]:
    found = read_model.currency(connection)
    yield GaugeMetricFamily(
        "inventory_accounts", "Accounts that have a log", value=found["accounts"]
    )
    yield CounterMetricFamily(
        "inventory_events", "Events in the logs of all accounts", value=float(found["events"])
    )
    yield GaugeMetricFamily(
        "inventory_lag_events",
        "Events of all accounts that are recorded and not folded yet",
        value=float(found["lag_events"]),
    )
    yield GaugeMetricFamily(
        "inventory_lag_seconds",
        "How long the oldest of them has waited; 0: none waits",
        value=float(found["lag_seconds"]),
    )
    yield _instant(
        "inventory_last_fold_timestamp_seconds",
        "When events were last folded, of whichever account; with nothing to fold it stands still",
        found["folded_at"],
    )
    yield _instant(
        "inventory_last_reconciliation_timestamp_seconds",
        "When a complete reconciliation last ended, of the account where that is longest ago",
        found["last_reconciliation_at"],
    )


def _reconciliation(connection: Connection) -> Iterator[Metric]:
    yield _counts(
        "inventory_reconciliation_outcomes",
        "Accounts by how their latest reconciliation ended; with one account 1 for that, else 0",
        "outcome",
        dict.fromkeys(OUTCOMES, 0) | read_model.latest_outcomes(connection),
    )
    findings = read_model.latest_findings(connection)
    yield _counts(
        "inventory_discrepancies",
        "Differences that the latest reconciliation of each account found, by class; those "
        "that are suppressed left out",
        "class",
        dict.fromkeys(CLASSES, 0) | {name or "undecided": n for name, n in findings.items()},
    )
    told = read_model.told_lately(connection)
    yield _counts(
        "inventory_announced_changes",
        "Changes that RingCentral announces, of the last 7 days up to the latest reconciliation, "
        "by how we were told: in time, late, or not at all (missed)",
        "told",
        {"in time": told.notified, "late": told.late, "missed": told.missed},
    )
    coverage = GaugeMetricFamily(
        "inventory_coverage_ratio",
        "The share of them that we were told of in time; none: there was no change",
    )
    if changes := sum(told):
        coverage.add_metric([], told.notified / changes)
    yield coverage


def _subscriptions(connection: Connection) -> Iterator[Metric]:
    """Of those that tell of numbers; others share the user and the app."""
    states = {("Active", "WebHook"): 0}
    ends: dict[str | None, datetime] = {}
    for row in connection.execute(read_model.subscriptions()):
        disabled = [each["filter"] for each in row.disabled_filters or ()]
        if not tells_of_numbers(row.event_filters, disabled):
            continue
        which = row.status, row.transport
        states[which] = states.get(which, 0) + 1
        if which == ("Active", "WebHook") and row.expires_at is not None:
            ends[row.account_id] = max(row.expires_at, ends.get(row.account_id, row.expires_at))
    subscriptions = GaugeMetricFamily(
        "inventory_subscriptions",
        "Subscriptions that tell of numbers, as last seen, by RingCentral's word for their state",
        labels=["status", "transport"],
    )
    for which, count in states.items():
        subscriptions.add_metric(which, count)
    yield subscriptions
    yield _instant(
        "inventory_subscription_expiry_timestamp_seconds",
        "When the webhooks of the account where that is soonest end, unless they are renewed",
        min(ends.values(), default=None),
    )


def _counts(name: str, said: str, label: str, counts: Mapping[str, int]) -> Metric:
    metric = GaugeMetricFamily(name, said, labels=[label])
    for value, count in counts.items():
        metric.add_metric([value], count)
    return metric


def _instant(name: str, said: str, instant: Any) -> Metric:
    """A moment in seconds since 1970; without a sample if there was none."""
    metric = GaugeMetricFamily(name, said)
    if instant is not None:
        metric.add_metric([], instant.timestamp())
    return metric
