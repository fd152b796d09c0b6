"""`/metrics`, read by Prometheus' own parser."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
from prometheus_client.parser import text_string_to_metric_families
from psycopg import Connection

from inventory.web.metrics import Metric, _text
from tests.histories import an_event
from tests.waiting import until
from tests.web.asking import put_aside, take_in
from tests.web.conftest import Receiver
from tests.web.test_webhook import PATH, notification

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def scraped(client: httpx.Client) -> Samples:
    response = client.get("/metrics")
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return parsed(response.text)


def parsed(text: str) -> Samples:
    found: Samples = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation
        assert family.type in {"counter", "gauge"}
        for sample in family.samples:
            key = sample.name, frozenset(sample.labels.items())
            assert key not in found
            found[key] = sample.value
    return found


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples[f"inventory_{name}", frozenset(labels.items())]


def test_it_tells_how_far_each_account_is_and_what_waits(
    receiver: Receiver, connection: Connection
) -> None:
    client = receiver()
    before = scraped(client)
    assert value(before, "deliveries_total", status="200") == 0
    assert value(before, "quarantine_open") == 0
    take_in(connection, "1", [an_event("1", "Created"), an_event("2", "Created")])
    put_aside(connection, "one", "two", "three")
    connection.execute(
        "INSERT INTO inventory.subscription (subscription_id, status, event_filters, transport,"
        " expires_at, seen_at) VALUES ('9d38', 'Active', '{}', 'WebHook', '2026-12-01Z', now())"
    )
    connection.commit()
    now = scraped(client)
    assert value(now, "events_total", account_id="1") == 2
    assert value(now, "projected_position", account_id="1") == 2
    assert value(now, "lag_events", account_id="1") == 0
    assert value(now, "lag_seconds", account_id="1") == 0
    told_at = value(now, "last_notification_timestamp_seconds", account_id="1")
    assert abs(told_at - datetime.now(UTC).timestamp()) < 600
    assert value(now, "quarantine_open") == 3
    expiry = {"subscription_id": "9d38", "status": "Active", "transport": "WebHook"}
    ends = value(now, "subscription_expiry_timestamp_seconds", **expiry)
    assert ends == datetime(2026, 12, 1, tzinfo=UTC).timestamp()
    assert value(now, "worker_failing", worker="projector") == 0


def test_what_lags_is_seen(receiver: Receiver, connection: Connection) -> None:
    client = receiver()
    take_in(connection, "1", [an_event("1", "Created")])
    connection.execute("SELECT FROM inventory.projection_checkpoint FOR UPDATE")
    with httpx.Client(base_url=client.base_url) as sender:
        assert sender.post(PATH, content=notification(7, account="1")).status_code == 200
    lag = scraped(client)
    assert value(lag, "lag_events", account_id="1") == 1
    assert value(lag, "lag_seconds", account_id="1") > 0


def test_deliveries_are_counted_by_how_they_were_answered(receiver: Receiver) -> None:
    client = receiver(webhook_token="s3cret", webhook_url="http://127.0.0.1/webhooks/ringcentral")
    secret = {"Verification-Token": "s3cret"}
    for content, headers in (
        (notification(1), secret),
        (notification(1), secret),
        (b"{", secret),
        (notification(2), {}),
    ):
        client.post(PATH, content=content, headers=headers)
    samples = scraped(client)
    assert value(samples, "deliveries_total", status="200") == 3
    assert value(samples, "deliveries_total", status="401") == 1
    for outcome in ("appended", "duplicate", "quarantined"):
        assert value(samples, "notifications_total", outcome=outcome) == 1


def test_a_worker_that_fails_is_seen(receiver: Receiver, connection: Connection) -> None:
    client = receiver()
    connection.execute("REVOKE SELECT ON inventory.event FROM inventory_app")
    put_aside(connection, "junk")  # of the log's tables, the projector alone needs this one
    with connection.transaction():
        connection.execute(
            "INSERT INTO inventory.account (account_id, position, head_hash) VALUES ('1', 1, '')"
        )
    until(lambda: value(scraped(client), "worker_failing", worker="projector") == 1)


def test_labels_hold_whatever_they_hold() -> None:
    strange = 'a"b\\c\nd'
    assert parsed(_text(Metric("m", "gauge", "M", [({"x": strange}, 0.5)]))) == {
        ("m", frozenset({("x", strange)})): 0.5
    }
