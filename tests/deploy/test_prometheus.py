"""Alert rules and dashboard, held to the names that `/metrics` really tells."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import promql_parser
import pytest
import yaml

from inventory import settings, web
from inventory.cli.listening import served
from inventory.database import Database
from tests.deploy.conftest import DEPLOY, documents, needs, said_by
from tests.web.test_metrics import LABELS, parsed

RULES = DEPLOY / "prometheus" / "inventory.rules.yaml"
DASHBOARD = DEPLOY / "grafana" / "inventory.json"
OF_PROMETHEUS = {"up"}
"""What Prometheus knows of itself."""
OF_THE_SCRAPE = {"job", "instance"}
"""Labels that it adds."""

# Of each alert what rouses it, as Prometheus writes series: a value, then so much more each minute.
ROUSING: dict[str, dict[str, str]] = {
    "InventoryDown": {"up": "0x240"},
    "InventoryProjectorStopped": {'inventory_worker_failing{worker="projector"}': "1x240"},
    "InventoryWorkerFailing": {'inventory_worker_failing{worker="confirmation"}': "1x240"},
    "InventoryLagging": {"inventory_lag_seconds": "0+60x240"},
    "InventoryDeliveriesNotTaken": {'inventory_deliveries_total{status="503"}': "0x238 1 1"},
    "InventoryDeliveriesUnauthorized": {'inventory_deliveries_total{status="401"}': "0+1x240"},
    "InventoryAcknowledgementSlow": {
        'inventory_acknowledgement_seconds_bucket{le="2.0"}': "0+90x240",
        'inventory_acknowledgement_seconds_bucket{le="2.5"}': "0+100x240",
        'inventory_acknowledgement_seconds_bucket{le="+Inf"}': "0+100x240",
    },
    "InventorySubscriptionMissing": {
        'inventory_subscriptions{status="Active",transport="WebHook"}': "0x240",
        'inventory_subscriptions{status="Blacklisted",transport="WebHook"}': "1x240",
        'inventory_worker_failing{worker="subscription"}': "0x240",
    },
    "InventorySubscriptionExpiring": {
        "inventory_subscription_expiry_timestamp_seconds": "1000000x240"
    },
    "InventoryReconciliationOverdue": {
        "inventory_last_reconciliation_timestamp_seconds": "100x240"
    },
    "InventoryReconciliationRefused": {
        'inventory_reconciliation_outcomes{outcome="refused"}': "0x238 1 1"
    },
    "InventoryReconciliationFailing": {
        'inventory_reconciliation_outcomes{outcome="failed"}': "1 0 1 0x60 1x240",
        'inventory_reconciliation_outcomes{outcome="incomplete"}': "0 1 0 1x240",
    },
    "InventoryDriftUnexplained": {'inventory_discrepancies{class="undecided"}': "3x240"},
    "InventoryCoverageLow": {
        "inventory_coverage_ratio": "0.9x240",
        'inventory_announced_changes{told="in time"}': "18x240",
        'inventory_announced_changes{told="missed"}': "2x240",
    },
    "InventoryQuarantineOpen": {'inventory_quarantine_open{reason="invalid_json"}': "1x240"},
    "InventoryRateLimitExhausted": {
        'inventory_ringcentral_requests_left{group="heavy"}': "0x240",
        'inventory_ringcentral_requests_limit{group="heavy"}': "10x240",
    },
}
# A good day, to which no alert belongs.
QUIET: dict[str, str] = {
    "up": "1x240",
    'inventory_worker_failing{worker="projector"}': "0x240",
    'inventory_worker_failing{worker="confirmation"}': "0 1 0x240",
    "inventory_lag_seconds": "0 2 0x240",
    'inventory_deliveries_total{status="200"}': "0+50x240",
    'inventory_deliveries_total{status="401"}': "0x200 1x240",
    'inventory_deliveries_total{status="503"}': "1x240",
    'inventory_acknowledgement_seconds_bucket{le="0.05"}': "0+50x240",
    'inventory_acknowledgement_seconds_bucket{le="+Inf"}': "0+50x240",
    # Where nobody keeps a subscription, none is missing.
    'inventory_subscriptions{status="Active",transport="WebHook"}': "0x240",
    "inventory_subscription_expiry_timestamp_seconds": "5000000x240",
    "inventory_last_reconciliation_timestamp_seconds": "0+60x240",
    'inventory_reconciliation_outcomes{outcome="complete"}': "1x240",
    'inventory_reconciliation_outcomes{outcome="refused"}': "0x240",
    'inventory_discrepancies{class="silent change"}': "9x240",
    'inventory_discrepancies{class="unexplained"}': "0 0 1 0x240",
    # One of two proves nothing.
    "inventory_coverage_ratio": "0.5x240",
    'inventory_announced_changes{told="in time"}': "1x240",
    'inventory_announced_changes{told="missed"}': "1x240",
    'inventory_quarantine_open{reason="invalid_json"}': "1x30 0x240",
    'inventory_ringcentral_requests_left{group="heavy"}': "10 0 0 10x240",
    'inventory_ringcentral_requests_limit{group="heavy"}': "10x240",
}
AT = "240m"


def alerts() -> list[dict[str, Any]]:
    (document,) = documents(RULES)
    return [rule for group in document["groups"] for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    dashboard: dict[str, Any] = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    return list(dashboard["panels"])


def shown() -> list[str]:
    """What the dashboard asks, its variables replaced by what Grafana puts there."""
    return [
        target["expr"].replace("$job", "inventory").replace("$__rate_interval", "1m")
        for panel in panels()
        for target in panel["targets"]
    ]


def selectors(expression: str) -> Iterator[tuple[str, set[str]]]:
    """The metrics that an expression selects, each with the labels it chooses by."""

    nodes: list[Any] = []
    promql_parser.walk(promql_parser.parse(expression), nodes.append)
    for node in nodes:
        if isinstance(node, promql_parser.VectorSelector):
            assert node.name
            yield node.name, {matcher.name for matcher in node.matchers.matchers}


@pytest.fixture(scope="module")
def told(database_of_module: Database) -> set[str]:
    """The names of all series, with or without samples."""
    access = settings.load(
        ringcentral_url="http://127.0.0.1:1",
        ringcentral_client_id="id",
        ringcentral_client_secret="0f1e2d3c",
        ringcentral_jwt="eyJ.4b5a.6978",
        reconcile_schedule="",
    )
    with served(web.application(database_of_module, access)) as url:
        text = httpx.get(f"{url}/metrics").text
    names = {name for name, _ in parsed(text)}
    return names | {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE ")}


def test_every_name_in_a_rule_or_a_panel_is_told(told: set[str]) -> None:
    expressions = [*(rule["expr"] for rule in alerts()), *shown()]
    asked = [found for expression in expressions for found in selectors(expression)]
    assert len(asked) >= len(expressions) > 30
    for name, labels in asked:
        assert name in told | OF_PROMETHEUS
        assert labels <= LABELS | OF_THE_SCRAPE
    used = {name for name, _ in asked}
    # What nobody looks at need not be told.
    plain = {name for name in told if not re.search(r"_(bucket|sum|count|created)$", name)}
    histogram = {"inventory_acknowledgement_seconds"}
    assert plain - used - histogram <= {"inventory_info", "inventory_accounts"}


def test_a_name_that_is_not_told_would_be_seen() -> None:
    (found, other) = selectors('rate(inventory_gone_total{status="1"}[5m]) > 0 or on (x) up')
    assert found == ("inventory_gone_total", {"status"})
    assert other == ("up", set())


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: str(rule["alert"]))
def test_an_alert_says_what_it_means_and_where_to_read_on(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"critical", "warning"}
    said = rule["annotations"]
    assert said["summary"]
    assert said["description"].endswith(".")
    assert said["runbook"] == f"docs/operations.md#{rule['alert'].lower()}"


@needs("promtool")
def test_prometheus_takes_the_rules() -> None:
    assert "SUCCESS" in said_by("promtool", "check", "rules", "--lint-fatal", RULES)


@needs("promtool")
def test_each_alert_fires_by_what_it_is_for_and_none_on_a_good_day(tmp_path: Path) -> None:
    assert {rule["alert"] for rule in alerts()} == ROUSING.keys()

    def series(given: dict[str, str]) -> list[dict[str, str]]:
        own = 'job="inventory",instance="a"'
        return [
            {
                "series": name[:-1] + f",{own}}}" if name.endswith("}") else f"{name}{{{own}}}",
                "values": values,
            }
            for name, values in given.items()
        ]

    def firing(which: str) -> dict[str, Any]:
        return {"expr": f'group(ALERTS{{alertstate="firing"{which}}})', "eval_time": AT}

    fires = [
        {
            "interval": "1m",
            "input_series": series(given),
            "promql_expr_test": [
                firing(f',alertname="{alert}"') | {"exp_samples": [{"labels": "{}", "value": 1}]},
                firing(f',alertname!="{alert}"') | {"exp_samples": []},
            ],
        }
        for alert, given in ROUSING.items()
    ]
    quiet = {
        "interval": "1m",
        "input_series": series(QUIET),
        "promql_expr_test": [firing("") | {"exp_samples": []}],
    }
    cases = tmp_path / "cases.yaml"
    text = yaml.safe_dump({"rule_files": [str(RULES)], "tests": [*fires, quiet]})
    cases.write_text(text, encoding="utf-8")
    said_by("promtool", "test", "rules", cases)


def test_the_dashboard_is_one_that_grafana_can_lay_out() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        assert panel["title"]
        assert panel["description"]
        assert panel["datasource"]["uid"] == "${datasource}"
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not taken & cells
        taken |= cells
    assert len({panel["id"] for panel in panels()}) == len(panels())
