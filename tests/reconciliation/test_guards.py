from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.guards import refusals, too_many
from inventory.reconciliation import Override, Scope
from inventory.simulator.platform import Number
from tests.reconciliation.conftest import Body, Reconciling, kinds

FIVE9 = {"id": "2", "name": "Five9"}


def fill(it: Reconciling, numbers: int, **attributes: object) -> list[Number]:
    return [it.platform.add(**attributes) for _ in range(numbers)]


def drop(it: Reconciling, numbers: list[Number]) -> None:
    for number in numbers:
        del it.platform.numbers[str(number["id"])]


@pytest.mark.parametrize(
    ("held", "absent", "refused"),
    [(20, 5, False), (20, 6, True), (60, 6, False), (69, 6, False), (69, 7, True), (70, 7, False)],
)
def test_five_or_a_tenth_of_an_account_may_go_and_no_more(
    it: Reconciling, held: int, absent: int, refused: bool
) -> None:
    numbers = fill(it, held)
    it.apply()
    drop(it, numbers[:absent])
    done = it.apply()
    assert done.plan.outcome == ("refused" if refused else "complete")
    assert {guard.name for guard in done.plan.guards} == (
        {"absent_of_account", "absent_of_provider"} if refused else set()
    )
    assert (it.held() == it.there()) is not refused
    assert len(it.held()) == (held if refused else held - absent)


def test_of_one_provider_no_more_may_go_than_of_an_account(it: Reconciling) -> None:
    fill(it, 80)
    numbers = fill(it, 12, contactCenterProvider=FIVE9)
    it.apply()
    drop(it, numbers[:6])
    done = it.apply()
    assert [guard.name for guard in done.plan.guards] == ["absent_of_provider"]
    assert it.row(done.id)["guard"] == "absent_of_provider"
    assert len(it.held()) == 92


def test_a_provider_does_not_vanish_unasked(it: Reconciling) -> None:
    fill(it, 80)
    one, two = fill(it, 2, contactCenterProvider=FIVE9)
    it.apply()
    drop(it, [one])
    two["contactCenterProvider"] = {"id": "7", "name": "Genesys Cloud"}
    done = it.apply()
    assert [guard.name for guard in done.plan.guards] == ["provider_vanished"]
    assert done.done["different"] == 1
    assert len(it.held()) == 82


def test_a_provider_whose_numbers_have_all_moved_is_no_absence(it: Reconciling) -> None:
    fill(it, 3)
    two = fill(it, 2, contactCenterProvider=FIVE9)
    it.apply()
    for number in two:
        number["contactCenterProvider"] = {"id": "7", "name": "Genesys Cloud"}
    assert it.apply().plan.outcome == "complete"


def test_an_empty_list_empties_nothing(it: Reconciling) -> None:
    numbers = fill(it, 3)
    it.apply()
    drop(it, numbers)
    done = it.apply()
    assert {guard.name for guard in done.plan.guards} == {"zero_rows", "provider_vanished"}
    assert len(it.held()) == 3
    assert done.plan.source.requests == 2  # nothing is asked for by its id


def test_half_a_list_makes_nothing_absent_and_what_is_new_is_added(it: Reconciling) -> None:
    fill(it, 40)
    it.apply()
    it.platform.faults.partial_lists = True
    number = it.platform.add()
    it.platform.numbers = {str(number["id"]): number} | it.platform.numbers
    done = it.apply()
    assert done.plan.outcome == "refused"
    assert done.done["added"] == 1
    assert it.held() == it.there()


def test_an_incomplete_list_makes_nothing_absent_and_what_is_new_is_added(it: Reconciling) -> None:
    numbers = fill(it, 40)
    it.apply()
    new = fill(it, 1)
    drop(it, numbers[:1])
    numbers[1]["status"] = "Pending"

    def counts(_page: int, body: Body) -> Body:
        body["paging"]["totalElements"] += 1
        return body

    it.lists(counts)
    done = it.apply()
    assert done.plan.outcome == "incomplete"
    assert done.done == {"added": 1, "different": 1, "appended": 2}
    assert it.held() == it.there() | {str(numbers[0]["id"])}
    assert str(new[0]["id"]) in it.held()
    assert "expected 41 numbers, found 40" in it.row(done.id)["detail"]


def test_a_person_lets_exactly_so_many_go(it: Reconciling) -> None:
    numbers = fill(it, 12)
    it.apply()
    drop(it, numbers[:7])
    wrong = it.apply(override=Override(6, "contract ended"))
    assert wrong.plan.outcome == "refused"
    assert "expected 7 absent numbers to be confirmed, found 6" in it.row(wrong.id)["detail"]
    assert len(it.held()) == 12
    right = it.apply(override=Override(7, "contract ended"))
    assert right.plan.outcome == "complete"
    assert right.done["deleted"] == 7
    row = it.row(right.id)
    assert (row["guard"], row["override"]) == (None, "7 absent: contract ended")
    assert it.held() == it.there()


def test_a_word_of_a_person_lets_nothing_go_that_is_there(it: Reconciling) -> None:
    numbers = fill(it, 12)
    it.apply()
    drop(it, numbers[:2])

    def hide(_page: int, body: Body) -> Body:
        body["records"] = body["records"][5:]
        body["paging"]["totalElements"] -= 5
        return body

    it.lists(hide)
    done = it.apply(override=Override(7, "contract ended"))
    assert done.done["deleted"] == 2
    assert it.held() == it.there()


def test_narrowed_the_guards_are_those_of_the_account(it: Reconciling) -> None:
    fill(it, 80)
    numbers = fill(it, 2, contactCenterProvider=FIVE9)
    it.apply()
    drop(it, numbers)
    assert it.apply(scope=Scope(number=str(numbers[0]["id"]))).plan.outcome == "complete"
    assert [guard.name for guard in it.plan(scope=Scope(provider="2")).guards] == [
        "provider_vanished"
    ]


def test_a_list_that_ignores_its_filter_is_guarded_like_one_that_lacks_numbers(
    it: Reconciling,
) -> None:
    numbers = fill(it, 12)
    it.apply()
    for number in numbers[:6]:
        number["usageType"] = "DirectNumber"

    def everything(_page: int, body: Body) -> Body:
        body["records"] = list(it.platform.numbers.values())
        body["paging"]["totalElements"] = len(it.platform.numbers)
        return body

    it.lists(everything)
    plan = it.plan()
    assert plan.outcome == "refused"
    assert len(kinds(plan)["missing"]) == 6
    numbers[0]["usageType"] = "ContactCenterNumber"
    assert it.apply().done == {"departed": 5, "appended": 5}


@given(held=st.integers(0, 500), data=st.data())
def test_more_absences_are_never_less_refused(held: int, data: st.DataObject) -> None:
    absent = data.draw(st.integers(0, held))
    assert too_many(absent, held) == (absent > max(5, held / 10))
    if absent < held and too_many(absent, held):
        assert too_many(absent + 1, held)


@given(
    held=st.lists(st.sampled_from("123"), max_size=80),
    gone=st.sets(st.integers(0, 79)),
    rows=st.integers(0, 80),
)
def test_every_provider_that_ends_with_nothing_is_named(
    held: list[str], gone: set[int], rows: int
) -> None:
    absent = [provider for at, provider in enumerate(held) if at in gone]
    after = [provider for at, provider in enumerate(held) if at not in gone]
    found = list(refusals(held=held, absent=absent, after=after, rows=rows))
    named = [guard.name for guard in found]
    assert named.count("provider_vanished") == len(set(held) - set(after))
    assert ("absent_of_account" in named) == too_many(len(absent), len(held))
    if not absent:
        assert found == []
