from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from typing import Any

import pytest
from psycopg import Connection

from inventory import event_log
from inventory.reconciliation import Scope, UnderWay, alone, reconcile, recording
from inventory.ringcentral import Denied, Unavailable
from inventory.subscription import ask_for_reconciliation
from tests.reconciliation.conftest import Reconciling
from tests.waiting import until


class Crash(BaseException):
    """What no code expects."""


def ids(it: Reconciling, query: str) -> list[Any]:
    return [id_ for (id_,) in it.connection.execute(query)]


def test_an_empty_inventory_is_loaded(it: Reconciling) -> None:
    for _ in range(30):
        it.platform.add()
    it.platform.add(usageType="DirectNumber")
    before = datetime.now(UTC)
    done = it.apply()
    assert done.done == {"added": 30, "appended": 30}
    assert it.held() == it.there()
    row = it.row(done.id)
    assert (row["outcome"], row["seen"], row["added"], row["requests"]) == ("complete", 30, 30, 2)
    assert before < row["started_at"] < row["read_at"] < row["finished_at"]
    assert set(ids(it, "SELECT class FROM inventory.discrepancy")) == {"initial load"}
    sources = ids(it, "SELECT source FROM inventory.seal")
    assert sources == [f"reconciliation:{done.id}"]


def test_what_was_appended_is_what_was_found(it: Reconciling) -> None:
    number = it.platform.add()
    it.apply()
    it.platform.change_silently(number, status="Pending")
    before = datetime.now(UTC)
    done = it.apply()
    (row,) = it.connection.execute(
        "SELECT event.origin, event.occurred_at, event.payload::text, discrepancy.expected,"
        " discrepancy.found, finding, class"
        " FROM inventory.event JOIN inventory.discrepancy USING (account_id, position)"
        " WHERE reconciliation_id = %s",
        [done.id],
    ).fetchall()
    origin, occurred_at, payload, expected, found, finding, cause = row
    assert (origin, finding, cause) == ("observation", "different", "silent change")
    assert before < occurred_at < it.row(done.id)["read_at"]
    assert json.loads(payload)["answer"] == number
    assert (expected["status"], found["status"]) == ("Normal", "Pending")
    assert it.value("SELECT status FROM inventory.contact_center_number") == "Pending"


def test_a_second_time_nothing_is_appended(it: Reconciling) -> None:
    numbers = [it.platform.add() for _ in range(8)]
    it.apply()
    numbers[0]["status"] = "Pending"
    numbers[1]["usageType"] = "DirectNumber"
    del it.platform.numbers[str(numbers[2]["id"])]
    assert it.apply().done["appended"] == 3
    events = it.events()
    assert it.apply().done == {}
    assert it.events() == events


def test_without_a_fold_in_between_nothing_is_appended_twice_either(
    it: Reconciling, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(8):
        it.platform.add()
    monkeypatch.setattr("inventory.projector.fold", lambda *_: None)
    with alone(it.connection, it.account):
        first = reconcile(it.connection, it.source, mode="apply")
        second = reconcile(it.connection, it.source, mode="apply")
    assert first.done["appended"] == 8
    assert second.plan.left_alone == 8
    assert it.events() == 8


def test_a_run_that_only_plans_appends_nothing_and_is_recorded(it: Reconciling) -> None:
    it.platform.add()
    done = it.apply(mode="plan")
    assert done.done == {"added": 1}
    assert it.events() == 0
    assert it.row(done.id)["mode"] == "plan"
    assert ids(it, "SELECT position FROM inventory.discrepancy") == [None]


@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_crash_between_batches_and_then_again_appends_each_number_once(
    it: Reconciling, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    for _ in range(25):
        it.platform.add()
    monkeypatch.setattr(recording, "BATCH", 10)
    real, calls = event_log.append, []

    def append(*arguments: Any, **options: Any) -> Any:
        calls.append(arguments)
        if len(calls) == at + 1:
            raise Crash
        return real(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr("inventory.event_log.append", append)
        # As if killed: nothing is said of how it ended.
        patch.setattr("inventory.reconciliation.run.fail", lambda *_: None)
        with it.database.connect(autocommit=True) as other, pytest.raises(Crash):
            with alone(other, it.account):
                reconcile(other, it.source, mode="apply")
    assert it.events() == 10 * at
    crashed = it.value("SELECT max(id) FROM inventory.reconciliation")
    assert it.row(crashed)["finished_at"] is None
    done = it.apply()
    assert done.done["appended"] == 25 - 10 * at
    assert it.held() == it.there()
    assert it.events() == 25
    assert it.row(crashed)["outcome"] == "crashed"
    assert it.row(crashed)["answered_by"] == done.id
    assert len(ids(it, "SELECT id FROM inventory.discrepancy")) == 25


def test_two_at_once_are_one_and_a_clear_error(it: Reconciling) -> None:
    it.platform.add()
    under_way, go_on = threading.Event(), threading.Event()

    def hold(*_: Any) -> None:
        under_way.set()
        assert go_on.wait(60)

    it.lists(hold)
    with it.database.connect(autocommit=True) as other:
        thread = threading.Thread(target=lambda: run_over(other, it))
        thread.start()
        try:
            assert under_way.wait(60)
            with (
                pytest.raises(UnderWay, match="found run 1, since"),
                alone(it.connection, it.account),
            ):
                pass
            with alone(it.connection, "7"):  # another account is another matter
                pass
        finally:
            go_on.set()
            thread.join()
        assert it.apply().done == {}


def run_over(connection: Connection, it: Reconciling) -> None:
    with alone(connection, it.account):
        reconcile(connection, it.source, mode="apply")


@pytest.mark.parametrize(("error", "unprivileged"), [(Unavailable, False), (Denied, True)])
def test_a_run_that_could_not_read_is_recorded_as_failed(
    it: Reconciling, error: type[Exception], unprivileged: bool
) -> None:
    it.platform.add()
    it.platform.faults.unprivileged = unprivileged
    it.lists(lambda _page, _body: 500)
    with pytest.raises(error):
        it.apply()
    row = it.row(1)
    assert row["outcome"] == "failed"
    assert str(row["detail"]).startswith("expected ")
    assert row["requests"] == (1 if unprivileged else 2)


def asked_for(it: Reconciling) -> list[tuple[str, str | None, int | None]]:
    return it.connection.execute(
        "SELECT reason, outcome, answered_by FROM inventory.reconciliation"
        " WHERE requested_at IS NOT NULL ORDER BY id"
    ).fetchall()


def test_what_was_asked_for_is_done_by_whoever_runs_next(it: Reconciling) -> None:
    ask_for_reconciliation(it.connection, it.account, "a gap")
    it.platform.add()
    it.apply(scope=Scope(provider="1"))
    assert asked_for(it) == [("a gap", None, None)]
    done = it.apply()
    assert asked_for(it) == [("a gap", "complete", done.id)]


def test_what_is_asked_for_during_a_run_is_not_done_by_it(it: Reconciling) -> None:
    ask_for_reconciliation(it.connection, it.account, "a gap")

    def gap(*_: Any) -> None:
        with it.database.connect(autocommit=True) as other:
            ask_for_reconciliation(other, it.account, "another gap")

    it.lists(gap)
    first = it.apply()
    assert asked_for(it) == [("a gap", "complete", first.id), ("another gap", None, None)]
    it.lists(lambda *_: None)
    second = it.apply()
    assert asked_for(it)[1] == ("another gap", "complete", second.id)


def test_what_was_asked_for_stays_so_if_the_run_fails_is_incomplete_or_crashes(
    it: Reconciling, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask_for_reconciliation(it.connection, it.account, "a gap")
    open_ = [("a gap", None, None)]
    it.lists(lambda _page, _body: 500)
    with pytest.raises(Unavailable):
        it.apply()
    assert asked_for(it) == open_
    it.lists(lambda _page, body: {**body, "paging": {"totalElements": 7}})
    assert it.apply().plan.outcome == "incomplete"
    assert asked_for(it) == open_
    it.lists(lambda *_: None)
    with monkeypatch.context() as patch:
        patch.setattr("inventory.reconciliation.run.fail", lambda *_: None)
        patch.setattr("inventory.projector.fold", crash)
        with pytest.raises(Crash):
            it.apply()
    ask_for_reconciliation(it.connection, it.account, "one more")
    narrowed = it.apply(scope=Scope(provider="1"))
    assert [row[2] for row in asked_for(it)] == [None, None]
    done = it.apply()
    assert narrowed.id < done.id
    assert [row[1:] for row in asked_for(it)] == [("complete", done.id)] * 2


def crash(*_: Any) -> None:
    raise Crash


def test_the_lock_goes_with_the_connection(it: Reconciling) -> None:
    with it.database.connect(autocommit=True) as other:
        other.execute(
            "SELECT pg_advisory_lock(hashtextextended(%s, 0))",
            [f"inventory reconciliation {it.account}"],
        )
        with pytest.raises(UnderWay), alone(it.connection, it.account):
            pass
    until(lambda: can_be_alone(it))


def can_be_alone(it: Reconciling) -> bool:
    try:
        with alone(it.connection, it.account):
            return True
    except UnderWay:
        return False


def test_only_a_whole_run_makes_the_inventory_fresh(it: Reconciling) -> None:
    it.platform.add()
    it.apply()
    assert it.value("SELECT lag_events FROM inventory.freshness") == 0
    last = it.value("SELECT last_reconciliation_at FROM inventory.freshness")
    it.apply(scope=Scope(provider="1"))
    assert it.value("SELECT last_reconciliation_at FROM inventory.freshness") == last
    it.apply()
    assert it.value("SELECT last_reconciliation_at FROM inventory.freshness") > last
