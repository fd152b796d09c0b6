"""`/metrics`, read by Prometheus' own parser."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import prometheus_client
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families
from psycopg import Connection

from inventory.subscription import NUMBERS, REMINDER
from tests.histories import an_event
from tests.waiting import until
from tests.web.asking import put_aside, take_in
from tests.web.conftest import Receiver
from tests.web.test_webhook import PATH, notification

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]

ACCOUNTS = ("37439510", "48550621")
NUMBER = "987654321"
E164 = "+12024999741"
SUBSCRIPTION = "9d38a7c4-61d1-4cd9-8a05-6a1c0ff0b0a9"
LABELS = {
    *("class", "group", "le", "outcome", "reason", "status", "told", "transport", "version"),
    "worker",
}


def scraped(client: httpx.Client) -> Samples:
    response = client.get("/metrics")
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return parsed(response.text)


def parsed(text: str) -> Samples:
    found: Samples = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation
        assert family.type in {"counter", "gauge", "histogram"}
        for sample in family.samples:
            key = sample.name, frozenset(sample.labels.items())
            assert key not in found
            assert sample.labels.keys() <= LABELS
            found[key] = sample.value
    return found


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples[f"inventory_{name}", frozenset(labels.items())]


def subscribe(
    connection: Connection,
    id: str,
    account: str,
    expires: str,
    *,
    status: str = "Active",
    filters: tuple[str, ...] = (NUMBERS, REMINDER),
    disabled: str | None = None,
) -> None:
    resolved = [each.replace("account/~", f"account/{account}") for each in filters]
    connection.execute(
        "INSERT INTO inventory.subscription (subscription_id, account_id, status, event_filters,"
        " disabled_filters, transport, expires_at, seen_at)"
        " VALUES (%s, %s, %s, %s, %s, 'WebHook', %s, now())",
        [id, account, status, resolved, disabled, expires],
    )
    connection.commit()


def reconciled(
    connection: Connection,
    account: str,
    outcome: str,
    finished: str,
    *,
    notified: int | None = None,
    **classes: int,
) -> None:
    """A run that ended so, *finished* after now, and what it found."""
    row = connection.execute(
        "INSERT INTO inventory.reconciliation (account_id, source, mode, started_at, finished_at,"
        " outcome, position, notified)"
        " VALUES (%(account)s, 'ringcentral', 'apply', now() + %(finished)s::interval,"
        " now() + %(finished)s::interval, %(outcome)s,"
        " CASE WHEN %(outcome)s IN ('complete', 'incomplete', 'refused') THEN 1 END, %(notified)s)"
        " RETURNING id",
        {"account": account, "outcome": outcome, "finished": finished, "notified": notified},
    ).fetchone()
    assert row is not None
    for name, findings in classes.items():
        connection.execute(
            "INSERT INTO inventory.discrepancy (reconciliation_id, account_id, phone_number_id,"
            " phone_number, finding, class, seen_at)"
            " SELECT %(run)s, %(account)s, %(number)s || %(run)s || '.' || n, %(e164)s, %(finding)s, %(class)s, now()"
            " FROM generate_series(1, %(findings)s) AS n",
            {
                "run": row[0],
                "account": account,
                "number": NUMBER,
                "e164": E164,
                "finding": "confirmed" if name == "confirmed" else "added",
                "class": None if name in {"confirmed", "undecided"} else name.replace("_", " "),
                "findings": findings,
            },
        )
    connection.commit()


def test_it_tells_how_far_all_accounts_are_together(
    receiver: Receiver, connection: Connection
) -> None:
    client = receiver()
    before = scraped(client)
    assert value(before, "accounts") == value(before, "events_total") == 0
    assert not [name for name, _ in before if "last_fold" in name]
    for account in ACCOUNTS:
        take_in(connection, account, [an_event("1", "Created"), an_event("2", "Created")])
    now = scraped(client)
    assert value(now, "accounts") == 2
    assert value(now, "events_total") == 4
    assert value(now, "lag_events") == value(now, "lag_seconds") == 0
    folded_at = value(now, "last_fold_timestamp_seconds")
    assert abs(folded_at - datetime.now(UTC).timestamp()) < 600
    assert value(now, "worker_failing", worker="projector") == 0


def test_what_lags_is_seen(receiver: Receiver, connection: Connection) -> None:
    client = receiver()
    for account in ACCOUNTS:
        take_in(connection, account, [an_event("1", "Created")])
    connection.execute("SELECT FROM inventory.projection_checkpoint FOR UPDATE")
    with httpx.Client(base_url=client.base_url) as sender:
        for account in ACCOUNTS:
            sent = sender.post(PATH, content=notification(7, account=account))
            assert sent.status_code == 200
    lag = scraped(client)
    assert value(lag, "lag_events") == 2
    assert value(lag, "lag_seconds") > 0


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
    # Who is turned away at once says nothing of how long an acknowledgement takes.
    assert value(samples, "acknowledgement_seconds_count") == 3
    assert value(samples, "acknowledgement_seconds_bucket", le="+Inf") == 3
    assert value(samples, "acknowledgement_seconds_sum") > 0


def test_an_answer_that_took_too_long_is_in_the_last_bucket(
    receiver: Receiver, connection: Connection
) -> None:
    client = receiver()
    connection.execute("LOCK TABLE inventory.account IN ACCESS EXCLUSIVE MODE")
    assert client.post(PATH, content=notification(1)).status_code == 503
    connection.rollback()
    samples = scraped(client)
    assert value(samples, "deliveries_total", status="503") == 1
    assert value(samples, "acknowledgement_seconds_bucket", le="1.5") == 0
    assert value(samples, "acknowledgement_seconds_bucket", le="+Inf") == 1


def test_the_latest_run_of_each_account_counts(receiver: Receiver, connection: Connection) -> None:
    client = receiver()
    for account in ACCOUNTS:
        take_in(connection, account, [an_event("1", "Created")])
    first, second = ACCOUNTS
    reconciled(connection, first, "complete", "-8 days", notified=100, missed_event=7)
    reconciled(connection, first, "complete", "-2 hours", notified=6, missed_event=1, confirmed=4)
    reconciled(connection, second, "complete", "-3 hours", notified=3)
    reconciled(connection, second, "refused", "-1 hours", notified=0, undecided=5, silent_change=2)
    samples = scraped(client)
    outcomes = {"complete": 1, "refused": 1, "incomplete": 0, "failed": 0, "crashed": 0}
    for outcome, accounts in outcomes.items():
        assert value(samples, "reconciliation_outcomes", outcome=outcome) == accounts
    classes = {"missed event": 1, "undecided": 5, "silent change": 2, "initial load": 0}
    for class_, found in classes.items():
        assert value(samples, "discrepancies", **{"class": class_}) == found
    (longest_ago,) = connection.execute(
        "SELECT extract(epoch FROM max(finished_at))::float FROM inventory.reconciliation"
        " WHERE account_id = %s AND outcome = 'complete'",
        [second],
    ).fetchall()
    told_at = value(samples, "last_reconciliation_timestamp_seconds")
    assert abs(told_at - longest_ago[0]) < 1
    # Of the last seven days alone.
    for told, changes in (("in time", 9), ("late", 0), ("missed", 1)):
        assert value(samples, "announced_changes", told=told) == changes
    assert value(samples, "coverage_ratio") == 0.9
    # What a crash leaves is no comparison, but it is how the latest run ended.
    reconciled(connection, first, "crashed", "-1 minutes")
    after = scraped(client)
    assert value(after, "reconciliation_outcomes", outcome="crashed") == 1
    assert value(after, "discrepancies", **{"class": "missed event"}) == 1


def test_of_subscriptions_those_count_that_tell_of_numbers(
    receiver: Receiver, connection: Connection
) -> None:
    client = receiver()
    active = {"status": "Active", "transport": "WebHook"}
    assert value(scraped(client), "subscriptions", **active) == 0
    first, second = ACCOUNTS
    dead = f'[{{"filter": "{NUMBERS}", "reason": "PermissionMissing", "message": ""}}]'
    subscribe(connection, "old", first, "2026-11-01Z")
    subscribe(connection, SUBSCRIPTION, first, "2026-12-01Z")
    subscribe(connection, "other", second, "2026-12-24Z")
    subscribe(connection, "black", second, "2026-10-01Z", status="Blacklisted")
    subscribe(connection, "another's", first, "2026-10-01Z", filters=(REMINDER,))
    subscribe(connection, "mute", second, "2026-10-01Z", disabled=dead)
    samples = scraped(client)
    assert value(samples, "subscriptions", **active) == 3
    assert value(samples, "subscriptions", status="Blacklisted", transport="WebHook") == 1
    ends = value(samples, "subscription_expiry_timestamp_seconds")
    assert ends == datetime(2026, 12, 1, tzinfo=UTC).timestamp()


def test_the_room_in_the_rate_limits_is_told_by_who_has_access(receiver: Receiver) -> None:
    assert not [name for name, _ in scraped(receiver()) if "requests_left" in name]
    client = receiver(
        ringcentral_url="http://127.0.0.1:1",
        ringcentral_client_id="id",
        ringcentral_client_secret="0f1e2d3c",
        ringcentral_jwt="eyJ.4b5a.6978",
        reconcile_schedule="",
    )
    samples = scraped(client)
    for group, limit in {"heavy": 10, "light": 50, "medium": 40, "auth": 5}.items():
        assert value(samples, "ringcentral_requests_limit", group=group) == limit
    assert value(samples, "ringcentral_requests_left", group="heavy") == 10
    # Nobody listens there: each attempt to log in is spent.
    until(lambda: value(scraped(client), "ringcentral_requests_left", group="auth") < 5)


def test_what_waits_in_quarantine_is_told_by_its_reason(
    receiver: Receiver, connection: Connection
) -> None:
    client = receiver()
    put_aside(connection, "one", "two", "three")
    assert value(scraped(client), "quarantine_open", reason="invalid_json") == 3


def test_a_worker_that_fails_is_seen(receiver: Receiver, connection: Connection) -> None:
    client = receiver()
    connection.execute("REVOKE SELECT ON inventory.event FROM inventory_app")
    put_aside(connection, "junk")  # of the log's tables, the projector alone needs this one
    with connection.transaction():
        connection.execute(
            "INSERT INTO inventory.account (account_id, position, head_hash) VALUES ('1', 1, '')"
        )
    until(lambda: value(scraped(client), "worker_failing", worker="projector") == 1)


def test_no_label_says_of_whom(receiver: Receiver, connection: Connection) -> None:
    client = receiver()
    for account in ACCOUNTS:
        take_in(connection, account, [an_event(NUMBER, "Created", phone_number=E164)])
        reconciled(connection, account, "refused", "-1 hours", notified=1, missed_event=1)
    subscribe(connection, SUBSCRIPTION, ACCOUNTS[0], "2026-12-01Z")
    client.post(PATH, content=notification(1, account=ACCOUNTS[0]))
    client.post(PATH, content=b'{"account": "' + ACCOUNTS[0].encode() + b'"')
    text = client.get("/metrics").text
    assert len(parsed(text)) > 40
    for secret in (*ACCOUNTS, NUMBER, E164, E164.lstrip("+"), SUBSCRIPTION):
        assert secret not in text


def test_each_application_counts_for_itself(receiver: Receiver) -> None:
    one, other = receiver(), receiver()
    assert one.post(PATH, content=notification(1)).status_code == 200
    assert value(scraped(one), "deliveries_total", status="200") == 1
    assert value(scraped(other), "deliveries_total", status="200") == 0
    shared = {family.name for family in prometheus_client.REGISTRY.collect()}
    assert not [name for name in shared if name.startswith("inventory")]


def test_openmetrics_is_spoken_to_those_who_ask_for_it(receiver: Receiver) -> None:
    asked = {"accept": "application/openmetrics-text; version=1.0.0"}
    response = receiver().get("/metrics", headers=asked)
    assert response.headers["content-type"].startswith("application/openmetrics-text")
    families = openmetrics.text_string_to_metric_families(response.text)  # type: ignore[no-untyped-call]
    names = {each.name for each in families}
    assert {"inventory_events", "inventory_acknowledgement_seconds"} <= names
