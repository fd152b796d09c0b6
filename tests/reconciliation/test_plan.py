from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from psycopg import errors

from inventory.reconciliation import RingCentralSource, Scope, draw_up
from inventory.reconciliation.plan import Plan
from inventory.ringcentral import OnlyReading
from inventory.simulator.platform import Number
from tests import folds
from tests.histories import an_event
from tests.reconciliation.conftest import Body, Reconciling, kinds


@pytest.fixture
def same(it: Reconciling) -> list[Number]:
    """Twelve numbers, on both sides alike."""
    numbers = [it.platform.add() for _ in range(12)]
    it.apply()
    assert it.held() == it.there()
    return numbers


def id_of(number: Number) -> str:
    return str(number["id"])


@pytest.mark.usefixtures("same")
def test_what_agrees_is_no_finding(it: Reconciling) -> None:
    plan = it.plan()
    assert (plan.findings, plan.outcome, plan.drift) == ([], "complete", False)
    assert plan.source.requests == 2  # the permission, and a page


def test_everything_that_can_differ_is_found(it: Reconciling, same: list[Number]) -> None:
    new = it.platform.add()
    it.platform.add(usageType="DirectNumber")
    it.platform.change_silently(
        same[0], status="Pending", contactCenterProvider={"id": "7", "name": "Genesys Cloud"}
    )
    it.platform.change_silently(same[1], phoneNumber="+16505550100")
    same[2]["usageType"] = "DirectNumber"
    del it.platform.numbers[id_of(same[3])]
    plan = it.plan()
    assert kinds(plan) == {
        "added": {id_of(new)},
        "different": {id_of(same[0]), id_of(same[1])},
        "departed": {id_of(same[2])},
        "deleted": {id_of(same[3])},
    }
    differences = {p.finding.phone_number_id: p.finding.differences for p in plan.findings}
    assert differences[id_of(same[0])] == {
        "status": ("Normal", "Pending"),
        "provider_id": ("1", "7"),
        "provider_name": ("InContact/North America", "Genesys Cloud"),
    }
    assert differences[id_of(same[2])]["usage_type"] == ("ContactCenterNumber", "DirectNumber")
    assert plan.outcome == "complete"
    assert plan.drift
    causes = {p.finding.kind: p.cause for p in plan.findings}
    assert causes == {
        "added": "missed event",
        "different": "silent change",
        "departed": "missed event",
        "deleted": "missed event",
    }


def test_another_spelling_is_no_difference(it: Reconciling, same: list[Number]) -> None:
    same[0]["contactCenterProvider"] = {"id": "1", "name": "In-Contact NA"}
    del same[1]["contactCenterProvider"]  # RingCentral then means the same one
    same[2]["uri"] += "?x"
    folds.append(
        it.connection,
        it.account,
        [event_of(it, same[3], number_type="Voice"), event_of(it, same[4], usage_type=None)],
    )
    same[3]["type"] = "VoiceOnly"
    it.fold()
    assert it.plan().findings == []


def event_of(it: Reconciling, number: Number, **attributes: Any) -> Any:
    """A notification of *number* some seconds after the start of the world, as if it had come."""
    held = {
        "phone_number": number["phoneNumber"],
        "payment_type": number["paymentType"],
        "location": number["location"],
        "number_type": number["type"],
        "usage_type": number["usageType"],
        "status": number["status"],
        "provider_id": "1",
        "provider_name": "InContact/North America",
        "uri": number["uri"],
    }
    event = an_event(id_of(number), "Updated", account=it.account, **(held | attributes))
    return event._replace(occurred_at=datetime.now(UTC))


def test_a_number_in_doubt_is_confirmed_by_the_list_that_shows_it(
    it: Reconciling, same: list[Number]
) -> None:
    folds.append(it.connection, it.account, [event_of(it, same[0])])
    it.fold()
    unverified = "SELECT count(unverified_since) FROM inventory.contact_center_number"
    assert it.value(unverified) == 1
    plan = it.plan()
    assert kinds(plan) == {"confirmed": {id_of(same[0])}}
    assert not plan.drift
    assert it.apply().done == {"confirmed": 1, "appended": 1}
    assert it.value(unverified) == 0


@pytest.mark.usefixtures("same")
def test_a_number_that_the_list_skips_is_not_absent(it: Reconciling) -> None:
    def skip(_page: int, body: Body) -> Body:
        body["records"] = body["records"][1:]
        body["paging"]["totalElements"] -= 1
        return body

    it.lists(skip)
    plan = it.plan()
    assert plan.findings == []
    assert plan.outcome == "complete"
    assert plan.notes == ["the list skipped 1 numbers that are there by id"]


@pytest.mark.parametrize("status", [403, 404, 500, 200, 206])
def test_an_answer_by_id_that_is_no_answer_leaves_a_number_missing(
    it: Reconciling, same: list[Number], status: int
) -> None:
    del it.platform.numbers[id_of(same[0])]
    it.by_id(lambda _id, _body: {"id": 7} if status == 200 else status)
    plan = it.plan()
    assert kinds(plan) == {"missing": {id_of(same[0])}}
    assert plan.findings[0].finding.detail is not None
    assert plan.outcome == "incomplete"
    assert not plan.drift
    assert it.apply().done == {"missing": 1}
    assert id_of(same[0]) in it.held()


@pytest.mark.parametrize("of", ["accountId", "phoneNumberId"])
def test_a_404_of_the_account_says_nothing_of_the_number(
    it: Reconciling, same: list[Number], of: str
) -> None:
    error = {"errorCode": "CMN-102", "message": "not found", "parameterName": of}
    it.by_id(lambda _id, _body: (404, {**error, "errors": [error]}))
    del it.platform.numbers[id_of(same[0])]
    found = "deleted" if of == "phoneNumberId" else "missing"
    assert kinds(it.plan()) == {found: {id_of(same[0])}}


def test_when_numbers_can_not_be_looked_at_it_gives_up_soon(
    it: Reconciling, same: list[Number]
) -> None:
    for number in same[:5]:
        del it.platform.numbers[id_of(number)]
    it.by_id(lambda _id, _body: 503)
    plan = it.plan()
    assert len(kinds(plan)["missing"]) == 5
    assert plan.source.requests == 2 + 3


def test_a_permission_that_is_lost_meanwhile_makes_nothing_absent(
    it: Reconciling, same: list[Number]
) -> None:
    del it.platform.numbers[id_of(same[0])]

    def lose(_id: str, _body: Body) -> None:
        it.platform.faults.unprivileged = True

    it.by_id(lose)
    plan = it.plan()
    assert kinds(plan) == {"missing": {id_of(same[0])}}
    assert "ReadCompanyPhoneNumbers" in str(plan.findings[0].finding.detail)


def test_what_we_are_told_while_the_list_is_read_wins(it: Reconciling, same: list[Number]) -> None:
    new, changed, gone = it.platform.add(), same[0], same[1]
    changed["status"] = "Pending"
    del it.platform.numbers[id_of(gone)]
    source = it.source
    reading = source.read()
    folds.append(it.connection, it.account, [event_of(it, n) for n in (new, changed, gone)])
    for left_alone in (3, 1):  # once folded, two of them are as the list has them
        plan = draw_up(it.connection, source, reading, scope=Scope(), override=None)
        assert plan.findings == []
        assert plan.left_alone == left_alone
        it.fold()


def test_what_we_are_told_while_numbers_are_looked_at_wins_when_it_is_recorded(
    it: Reconciling, same: list[Number]
) -> None:
    gone = same[1]
    del it.platform.numbers[id_of(gone)]

    def tell(_id: str, _body: Body) -> None:
        with it.database.connect() as other:
            folds.append(other, it.account, [event_of(it, gone)])
            other.commit()

    it.by_id(tell)
    done = it.apply()
    assert done.done == {"left_alone": 1}
    assert id_of(gone) in it.held()


def test_a_late_notification_of_before_the_read_is_no_reason_to_leave_a_number_alone(
    it: Reconciling, same: list[Number]
) -> None:
    event = event_of(it, same[0], status="Pending")._replace(
        occurred_at=datetime.now(UTC) - timedelta(hours=1)
    )
    folds.append(it.connection, it.account, [event])
    it.fold()
    del it.platform.numbers[id_of(same[0])]
    assert kinds(it.plan()) == {"deleted": {id_of(same[0])}}


def test_what_is_not_folded_yet_is_said_and_left_alone(it: Reconciling, same: list[Number]) -> None:
    event = event_of(it, same[0], status="Pending")._replace(
        occurred_at=datetime.now(UTC) - timedelta(hours=1)
    )
    folds.append(it.connection, it.account, [event])
    del it.platform.numbers[id_of(same[0])]
    plan = it.plan()
    assert plan.findings == []
    assert plan.left_alone == 1
    assert "1 events are not folded" in plan.notes[0]


@pytest.mark.parametrize("spelling", ["id", "+1202{}", "(202) {}"])
def test_narrowed_to_a_number_nothing_is_said_of_others(
    it: Reconciling, same: list[Number], spelling: str
) -> None:
    for number in same[:3]:
        del it.platform.numbers[id_of(number)]
    wanted = same[1]
    national = wanted["phoneNumber"].removeprefix("+1202")
    named = id_of(wanted) if spelling == "id" else spelling.format(national)
    plan = it.plan(scope=Scope(number=named))
    assert kinds(plan) == {"deleted": {id_of(wanted)}}
    assert plan.source.requests == 2 + 1 + 1  # one look, and the permission once more
    assert it.apply(scope=Scope(number=named)).done["deleted"] == 1
    assert it.held() == it.there() | {id_of(same[0]), id_of(same[2])}


def test_narrowed_to_a_number_it_finds_the_id_that_has_it_now(
    it: Reconciling, same: list[Number]
) -> None:
    e164 = same[0]["phoneNumber"]
    del it.platform.numbers[id_of(same[0])]
    new = it.platform.add(phoneNumber=e164)
    plan = it.plan(scope=Scope(number=e164))
    assert kinds(plan) == {"deleted": {id_of(same[0])}, "added": {id_of(new)}}


def test_narrowed_to_a_provider_both_ways_count(it: Reconciling, same: list[Number]) -> None:
    seven = {"id": "7", "name": "Genesys Cloud"}
    for number in same[:3]:
        number["contactCenterProvider"] = dict(seven)
    it.apply()
    same[0]["contactCenterProvider"] = {"id": "2", "name": "Five9"}
    same[5]["contactCenterProvider"] = dict(seven)
    del it.platform.numbers[id_of(same[1])]
    del it.platform.numbers[id_of(same[6])]
    plan = it.plan(scope=Scope(provider="7"))
    assert kinds(plan) == {
        "different": {id_of(same[0]), id_of(same[5])},
        "deleted": {id_of(same[1])},
    }


def test_a_plan_can_write_to_neither_side(it: Reconciling, same: list[Number]) -> None:
    same[0]["status"] = "Pending"
    del it.platform.numbers[id_of(same[1])]
    app = it.platform.application
    it.tampering.asked.clear()
    with (
        it.database.connect_reading() as connection,
        type(it.client)(
            it.simulated.url,
            client_id=app.client_id,
            client_secret=app.client_secret,
            jwt=app.jwt,
            only_reading=True,
        ) as client,
    ):
        source = RingCentralSource(client, it.account)
        plan: Plan = draw_up(connection, source, source.read(), scope=Scope(), override=None)
        assert kinds(plan) == {"different": {id_of(same[0])}, "deleted": {id_of(same[1])}}
        for write in (client.websocket_token, lambda: client.delete_subscription("1")):
            with pytest.raises(OnlyReading):
                write()
        for statement in (
            "INSERT INTO inventory.reconciliation (account_id, source, mode) VALUES ('1', '', '')",
            "SET default_transaction_read_only = off; DELETE FROM inventory.contact_center_number",
            "SET default_transaction_read_only = off; UPDATE inventory.account SET position = 0",
        ):
            with pytest.raises((errors.ReadOnlySqlTransaction, errors.InsufficientPrivilege)):
                connection.execute(statement)
    assert {method for method, path in it.tampering.asked if "oauth" not in path} == {"GET"}
