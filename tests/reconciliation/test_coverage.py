from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from inventory.notification import parse
from inventory.reconciliation import Scope
from inventory.simulator.platform import Number
from tests import folds
from tests.conftest import Command
from tests.histories import an_event
from tests.reconciliation.conftest import Reconciling


@pytest.fixture
def same(it: Reconciling) -> list[Number]:
    """Twelve numbers, on both sides alike."""
    numbers = [it.platform.add() for _ in range(12)]
    it.apply()
    return numbers


def tell(it: Reconciling, event_type: str, number: Number, at: datetime | None = None) -> None:
    """As a notification would, sent *at* a time, and received now."""
    at = at or datetime.now(UTC)
    notification = {
        "uuid": f"{event_type} {number['id']} {at.isoformat()}",
        "event": f"/restapi/v1.0/account/{it.account}/phone-number",
        "timestamp": at.isoformat(),
        "body": {"eventType": event_type, "phoneNumberInfo": number},
    }
    event = parse(json.dumps(notification).encode(), latest=at)
    assert not hasattr(event, "reason"), event
    folds.append(it.connection, it.account, [event])
    it.fold()


def id_of(number: Number) -> str:
    return str(number["id"])


def delete(it: Reconciling, number: Number) -> None:
    del it.platform.numbers[id_of(number)]


def classes(it: Reconciling, run: int) -> dict[str, str | None]:
    """Classes by the number's id, as they are known now."""
    return dict(
        it.connection.execute(
            "SELECT phone_number_id, class FROM inventory.classified_discrepancy"
            " WHERE reconciliation_id = %s",
            [run],
        ).fetchall()
    )


def coverage(it: Reconciling, run: int) -> tuple[Any, ...] | None:
    return it.connection.execute(
        "SELECT notified, missed, late, coverage FROM inventory.coverage"
        " WHERE reconciliation_id = %s",
        [run],
    ).fetchone()


def test_each_discrepancy_says_why_it_was_not_known(it: Reconciling, same: list[Number]) -> None:
    new = it.platform.add()
    same[0]["status"] = "Pending"
    delete(it, same[1])
    same[2]["usageType"] = "DirectNumber"
    for number in (same[3], same[4]):
        corrected = an_event(
            id_of(number), "Updated", account=it.account, origin="operator", status="Pending"
        )
        folds.append(it.connection, it.account, [corrected._replace(occurred_at=datetime.now(UTC))])
    tell(it, "Deleted", same[5])
    done = it.apply()
    assert classes(it, done.id) == {
        id_of(new): "missed event",
        id_of(same[0]): "silent change",
        id_of(same[1]): "missed event",
        id_of(same[2]): "missed event",
        id_of(same[3]): "out-of-band",
        id_of(same[4]): "out-of-band",
        id_of(same[5]): "unexplained",
    }


def test_a_number_that_was_converted_back_unheard_is_a_missed_event(
    it: Reconciling, same: list[Number]
) -> None:
    tell(it, "Updated", {**same[0], "usageType": "DirectNumber"})
    assert classes(it, it.apply().id) == {id_of(same[0]): "missed event"}


def test_the_coverage_is_the_share_of_what_we_had_been_told(
    it: Reconciling, same: list[Number]
) -> None:
    for _ in range(3):
        tell(it, "Created", it.platform.add())
    delete(it, same[0])
    tell(it, "Deleted", same[0])
    delete(it, same[1])
    it.platform.add()
    same[2]["status"] = "Pending"  # nothing would have told us of that
    done = it.apply()
    assert coverage(it, done.id) == (4, 2, 0, Decimal("0.6667"))
    assert coverage(it, it.apply().id) == (0, 0, 0, None)


def test_of_the_first_run_nothing_can_be_said(it: Reconciling) -> None:
    it.platform.add()
    tell(it, "Created", it.platform.add())
    assert coverage(it, it.apply().id) is None
    narrowed = it.apply(scope=Scope(provider="1"))
    assert coverage(it, narrowed.id) is None


@pytest.mark.parametrize("when", ["before we looked", "after we had looked"])
def test_a_notification_that_was_late_is_told_from_one_that_never_came(
    it: Reconciling, same: list[Number], when: str
) -> None:
    new = it.platform.add()
    delete(it, same[0])
    same[1]["usageType"] = "DirectNumber"
    delete(it, same[2])
    before = datetime.now(UTC)
    done = it.apply()
    assert coverage(it, done.id) == (0, 4, 0, 0)
    at = before if when == "before we looked" else None
    tell(it, "Created", new, at)
    tell(it, "Deleted", same[0], at)
    tell(it, "Updated", {**same[1], "usageType": "ContactCenterNumber"}, at)
    assert classes(it, done.id) == {
        id_of(new): "late event",
        id_of(same[0]): "late event",
        id_of(same[1]): "late event",
        id_of(same[2]): "missed event",
    }
    assert coverage(it, done.id) == (0, 1, 3, 0)
    late = it.value("SELECT min(late_seconds) FROM inventory.classified_discrepancy")
    assert late > 0
    if when == "before we looked":
        # The change is the notification's now; it was in no time for all that.
        assert coverage(it, it.apply().id) == (0, 0, 0, None)


def test_a_later_change_is_no_late_notification_of_the_one_before(
    it: Reconciling, same: list[Number]
) -> None:
    new = it.platform.add()
    delete(it, same[0])
    done = it.apply()
    tell(it, "Deleted", new)
    tell(it, "Created", new)
    tell(it, "Created", same[0])
    tell(it, "Deleted", same[0])
    assert set(classes(it, done.id).values()) == {"missed event"}


def test_what_is_found_again_and_again_is_missed_once(it: Reconciling, same: list[Number]) -> None:
    delete(it, same[0])
    assert coverage(it, it.apply(mode="plan").id) == (0, 1, 0, 0)
    assert coverage(it, it.apply(mode="plan").id) == (0, 0, 0, None)
    assert coverage(it, it.apply().id) == (0, 0, 0, None)


def test_what_was_there_before_us_stays_so_until_it_is_applied(it: Reconciling) -> None:
    old = it.platform.add()
    it.apply(mode="plan")
    new = it.platform.add()
    assert classes(it, it.apply().id) == {id_of(old): "initial load", id_of(new): "missed event"}


def test_a_suppressed_difference_is_shown_and_left(
    it: Reconciling, same: list[Number], inventory: Command
) -> None:
    day = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    known = ["--until", day, "--reason", "the carrier is at it"]
    same[0]["status"] = "Pending"
    delete(it, same[1])
    new = it.platform.add()
    inventory("reconciliation", "suppress", same[0]["phoneNumber"], *known)
    inventory("reconciliation", "suppress", id_of(same[1]), *known)
    inventory("reconciliation", "suppress", id_of(new), *known, exits=1)
    inventory("reconciliation", "suppress", id_of(new), "--account", it.account, *known)
    plan = it.plan()
    assert not plan.drift
    assert plan.outcome == "complete"
    assert plan.counts == {"suppressed": 3}
    assert plan.source.requests == 2  # nor is it asked for by its id
    events = it.events()
    done = it.apply()
    assert done.done == {"suppressed": 3}
    assert it.events() == events
    assert it.row(done.id)["suppressed"] == 3
    assert coverage(it, done.id) == (0, 0, 0, None)
    listed = inventory("reconciliation", "suppressions").stdout.splitlines()
    assert len(listed) == 3
    assert json.loads(listed[0])["reason"] == "the carrier is at it"
    tell(it, "Updated", {**same[0], "status": "Normal", "location": "Denver, CO"})
    assert it.value("SELECT count(*) FROM inventory.contact_center_number WHERE location LIKE 'D%'")
    assert "lifted=1" in inventory("reconciliation", "unsuppress", id_of(same[1])).stderr
    assert "lifted=0" in inventory("reconciliation", "unsuppress", id_of(same[1])).stderr
    assert len(inventory("reconciliation", "suppressions").stdout.splitlines()) == 2
    assert len(inventory("reconciliation", "suppressions", "--all").stdout.splitlines()) == 3
    assert it.apply().done == {"suppressed": 2, "deleted": 1, "appended": 1}


def test_a_suppression_ends_by_itself(
    it: Reconciling, same: list[Number], inventory: Command
) -> None:
    same[0]["status"] = "Pending"
    day = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    inventory("reconciliation", "suppress", id_of(same[0]), "--until", day, "--reason", "x")
    inventory(
        "reconciliation", "suppress", id_of(same[0]), "--until", "-1d", "--reason", "x", exits=2
    )
    assert not it.plan().drift
    it.connection.execute("UPDATE inventory.suppression SET expires_at = now()")
    assert it.plan().drift


def test_runs_are_listed_and_shown(it: Reconciling, same: list[Number], inventory: Command) -> None:
    tell(it, "Created", it.platform.add())
    delete(it, same[0])
    done = it.apply()
    rows = [json.loads(line) for line in inventory("reconciliation", "list").stdout.splitlines()]
    assert [row["id"] for row in rows] == [done.id, 1]
    assert (rows[0]["coverage"], rows[0]["deleted"]) == (0.5, 1)
    assert "complete" in inventory("reconciliation", "list", "--format", "table").stdout
    shown = inventory("reconciliation", "show", str(done.id))
    assert "coverage: 0.5" in shown.stderr
    (row,) = map(json.loads, shown.stdout.splitlines())
    assert (row["finding"], row["class"], row["phone_number_id"]) == (
        "deleted",
        "missed event",
        id_of(same[0]),
    )
    assert (
        "missed event"
        in inventory("reconciliation", "show", str(done.id), "--format", "table").stdout
    )
    inventory("reconciliation", "show", "77", exits=1)
