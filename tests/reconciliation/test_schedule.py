from __future__ import annotations

import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from inventory import errands, settings, web
from inventory.cli.listening import served
from inventory.reconciliation import Schedule, alone
from inventory.reconciliation.schedule import ASK_AGAIN
from inventory.ringcentral import Denied, Unavailable
from inventory.settings import InvalidSettings
from inventory.subscription import ask_for_reconciliation
from tests.conftest import clean_environment
from tests.reconciliation.conftest import Body, Reconciling, Tampered
from tests.waiting import until

NOON = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)


@pytest.fixture
def hourly(it: Reconciling) -> Schedule:
    it.platform.add()
    return Schedule(it.client, "0 * * * *", "apply")


def runs(it: Reconciling) -> list[tuple[datetime | None, str | None]]:
    return it.connection.execute(
        "SELECT scheduled_for, outcome FROM inventory.reconciliation"
        " WHERE requested_at IS NULL ORDER BY id"
    ).fetchall()


def test_the_first_time_it_runs_at_once_and_then_at_each_tick(
    it: Reconciling, hourly: Schedule
) -> None:
    def at(**later: int) -> int | None:
        done = hourly.run_due(it.connection, NOON + timedelta(**later))
        return done and done.id

    assert [at(), at(minutes=5), at(minutes=59, seconds=29)] == [1, None, None]
    it.fold()
    assert it.held() == it.there()
    assert [at(minutes=59, seconds=30), at(hours=1)] == [2, None]
    assert [row[0] for row in runs(it)] == [NOON.replace(second=0), NOON.replace(hour=13, second=0)]


def test_ticks_that_were_missed_are_run_once(it: Reconciling, hourly: Schedule) -> None:
    hourly.run_due(it.connection, NOON)
    assert hourly.run_due(it.connection, NOON + timedelta(hours=49)) is not None
    assert hourly.run_due(it.connection, NOON + timedelta(hours=49)) is None
    assert len(runs(it)) == 2


@pytest.mark.usefixtures("hourly")
def test_of_many_replicas_one_runs_a_tick(it: Reconciling) -> None:
    it.platform.faults.slow = 1.0
    it.platform.faults.slow_seconds = 0.05

    def replica(_: int) -> bool:
        with (
            it.simulated.client() as client,
            it.database.connect(autocommit=True) as connection,
        ):
            schedule = Schedule(client, "0 * * * *", "apply")
            return schedule.run_due(connection, NOON) is not None

    with ThreadPoolExecutor(5) as pool:
        assert sorted(pool.map(replica, range(10))) == [False] * 9 + [True]
    assert runs(it) == [(NOON.replace(second=0), "complete")]
    assert it.events() == 1


def test_nothing_is_run_while_somebody_else_is_at_it(it: Reconciling, hourly: Schedule) -> None:
    with it.database.connect(autocommit=True) as other, alone(other, it.account):
        assert hourly.run_due(it.connection, NOON) is None
    assert runs(it) == []
    assert hourly.run_due(it.connection, NOON) is not None


def test_what_is_asked_for_is_run_before_the_next_tick(it: Reconciling, hourly: Schedule) -> None:
    hourly.run_due(it.connection, NOON)
    ask_for_reconciliation(it.connection, it.account, "a gap")
    assert hourly.run_due(it.connection, NOON) is not None
    assert hourly.run_due(it.connection, NOON) is None
    assert [row[0] for row in runs(it)] == [NOON.replace(second=0), None]


@pytest.mark.parametrize("how", ["failed", "incomplete"])
def test_a_run_that_came_to_nothing_is_asked_for_again_after_a_while(
    it: Reconciling, hourly: Schedule, how: str
) -> None:
    def spoil(_page: int, body: Body) -> Tampered:
        return 503 if how == "failed" else {**body, "paging": {"totalElements": 7}}

    it.lists(spoil)
    if how == "failed":
        with pytest.raises(Unavailable):
            hourly.run_due(it.connection)
    else:
        assert hourly.run_due(it.connection) is not None
    assert it.value("SELECT reason FROM inventory.reconciliation WHERE requested_at IS NOT NULL")
    assert hourly.run_due(it.connection) is None
    it.lists(lambda *_: None)
    # The tick that has come may be the next hour's by then; then it is due by itself.
    done = hourly.run_due(it.connection, datetime.now(UTC) + ASK_AGAIN)
    assert done is not None
    assert done.plan.outcome == "complete"
    assert hourly.run_due(it.connection, datetime.now(UTC) + ASK_AGAIN) is None


def test_what_is_denied_waits_for_the_next_tick(it: Reconciling, hourly: Schedule) -> None:
    it.platform.faults.unprivileged = True
    with pytest.raises(Denied):
        hourly.run_due(it.connection, NOON)
    assert hourly.run_due(it.connection, NOON + timedelta(minutes=30)) is None
    assert runs(it) == [(NOON.replace(second=0), "failed")]


def test_in_plan_mode_nothing_is_appended(it: Reconciling) -> None:
    it.platform.add()
    ask_for_reconciliation(it.connection, it.account, "a gap")
    schedule = Schedule(it.client, "0 * * * *", "plan")
    done = schedule.run_due(it.connection, NOON)
    assert done is not None
    assert done.done == {"added": 1}
    assert it.events() == 0
    assert schedule.run_due(it.connection, NOON) is None


def test_a_run_that_was_killed_is_taken_up_by_the_next(
    it: Reconciling, hourly: Schedule, tmp_path: Path
) -> None:
    hourly.run_due(it.connection, NOON)
    it.platform.add()
    reached, go_on = threading.Event(), threading.Event()

    def hang(*_: object) -> None:
        reached.set()
        assert go_on.wait(60)

    it.lists(hang)
    variables = {f"INVENTORY_{k.upper()}": v for k, v in it.simulated.settings().items()}
    process = subprocess.Popen(
        [sys.executable, "-m", "inventory", "reconcile", "--apply"],
        env=clean_environment() | variables | {"INVENTORY_DATABASE_URL": it.database.url},
        cwd=tmp_path,
    )
    try:
        assert reached.wait(60)
        assert hourly.run_due(it.connection, NOON) is None  # it is under way
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(60)
        go_on.set()
    # PostgreSQL lets the lock go when it notices.
    until(lambda: hourly.run_due(it.connection, NOON))
    it.fold()
    assert it.held() == it.there()
    assert [outcome for _, outcome in runs(it)] == ["complete", "crashed", "complete"]


def test_while_it_serves_the_inventory_is_loaded_and_kept_right(
    it: Reconciling, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errands, "DUE", 0.1)
    numbers = [it.platform.add() for _ in range(5)]
    given = settings.load(webhook_token="s3cret", **it.simulated.settings())
    with served(web.application(it.database, given)) as _:
        until(lambda: it.held() == it.there())
        del it.platform.numbers[str(numbers[0]["id"])]
        ask_for_reconciliation(it.connection, it.account, "a gap")
        until(lambda: it.held() == it.there())
    outcomes = [outcome for _, outcome in runs(it)]
    assert outcomes == ["complete", "complete"]


@pytest.mark.parametrize("by", ["schedule", "access"])
def test_without_a_schedule_or_access_nothing_is_run(it: Reconciling, by: str) -> None:
    without: Any = {"reconcile_schedule": ""} if by == "schedule" else {"ringcentral_jwt": None}
    work = errands.Errands(it.database, settings.load(**(it.simulated.settings() | without)))
    assert "reconciliation" not in {worker.name for worker in work._workers}
    work._open.close()


def test_the_schedule_is_off_when_its_variable_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings.load().reconcile_schedule == "0 * * * *"
    monkeypatch.setenv("INVENTORY_RECONCILE_SCHEDULE", "")
    assert settings.load().reconcile_schedule == ""
    monkeypatch.setenv("INVENTORY_RECONCILE_SCHEDULE", "every hour")
    with pytest.raises(InvalidSettings, match="expected a cron expression, got 'every hour'"):
        settings.load()
    monkeypatch.setenv("INVENTORY_RECONCILE_SCHEDULE", "*/5 6-18 * * 1-5")
    monkeypatch.setenv("INVENTORY_RECONCILE_MODE", "both")
    with pytest.raises(InvalidSettings, match="RECONCILE_MODE"):
        settings.load()
