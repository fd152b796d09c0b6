"""Whatever the inventory believes, and whatever goes wrong while it is held against the account."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, NamedTuple

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from inventory.errors import InventoryError
from inventory.event import CONTACT_CENTER
from inventory.observation import absence
from inventory.reconciliation import Override, RingCentralSource
from inventory.simulator.platform import Number
from tests import folds
from tests.histories import an_event
from tests.reconciliation.conftest import Body, Reconciling, Tampered

PROVIDERS = [None, "1", "2", "7"]
DISHONEST = [403, 404, 410, 500, 206]
"""Answers that do not come from where the numbers are."""


@st.composite
def worlds(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Numbers: as RingCentral has them now, and as the inventory was told of them, or not."""
    number = st.fixed_dictionaries(
        {
            "there": st.booleans(),
            "told": st.sampled_from([None, "Created", "Created", "Updated", "Updated", "Deleted"]),
            "usage": st.sampled_from([CONTACT_CENTER] * 4 + ["DirectNumber"]),
            "provider": st.sampled_from(PROVIDERS),
            "was": st.sampled_from(PROVIDERS),
            "status": st.sampled_from(["Normal", "Pending"]),
            "doubted": st.booleans(),
        }
    )
    return draw(st.lists(number, max_size=14))


def build(it: Reconciling, account: str, world: list[dict[str, Any]]) -> None:
    """A world in which nothing has been reconciled yet."""
    it.platform.account_id = account
    it.platform.numbers.clear()
    it.platform._serial = 10_000  # so that a world is the same whenever it is built
    it.platform.faults.unprivileged = False
    it.tampering.tamper = lambda *_: None
    events = []
    at = datetime.now(UTC) - timedelta(hours=1)
    for each in world:
        number = it.platform.add(
            usageType=each["usage"],
            status=each["status"],
            contactCenterProvider=named(each["provider"]),
        )
        if not each["there"]:
            del it.platform.numbers[str(number["id"])]
        if each["told"] is not None:
            event = an_event(
                str(number["id"]),
                each["told"],
                account=account,
                phone_number=number["phoneNumber"],
                location="Denver, CO",
                provider_id=each["was"],
            )
            events.append(event._replace(occurred_at=at))
            if each["doubted"] and each["told"] != "Deleted":
                later = event._replace(
                    event_uuid=f"{event.event_uuid}-again",
                    event_type="Updated",
                    occurred_at=at + timedelta(minutes=1),
                )
                events.append(later)
    if events:
        folds.append(it.connection, account, events)
        it.fold()


def named(provider: str | None) -> dict[str, str] | None:
    return None if provider is None else {"id": provider, "name": f"Provider {provider}"}


def inventory_of(it: Reconciling) -> dict[str, tuple[Any, ...]]:
    return {
        id_: tuple(rest)
        for id_, *rest in it.connection.execute(
            "SELECT phone_number_id, phone_number, location, status, coalesce(provider_id, '1'),"
            " unverified_since FROM inventory.contact_center_number WHERE account_id = %s",
            [it.account],
        )
    }


def account_of(it: Reconciling) -> dict[str, tuple[Any, ...]]:
    return {
        str(n["id"]): (
            n["phoneNumber"],
            n["location"],
            n["status"],
            (n["contactCenterProvider"] or {"id": "1"})["id"],
            None,
        )
        for n in it.platform.contact_center()
    }


@settings(max_examples=60)
@given(world=worlds())
def test_after_a_complete_run_the_inventory_is_what_ringcentral_has(
    it: Reconciling, new_account: Callable[[], str], world: list[dict[str, Any]]
) -> None:
    build(it, new_account(), world)
    plan = it.plan()
    done = it.apply(override=Override(plan.absent, "the test says so"))
    assert done.plan.outcome == "complete"
    assert inventory_of(it) == account_of(it)
    again = it.apply(override=Override(0, "the test says so"))
    assert again.done == {}
    assert not again.plan.drift


class Mischief(NamedTuple):
    """What may go wrong with any answer; none of it says of a number that it does not exist."""

    pages: set[int]
    """Of these pages …"""
    what: list[str]
    """… this is wrong."""
    skipped: int | None
    """Numbers whose id leaves this, divided by three, are on no page, and the counts agree."""
    by_id: str | int
    """How numbers are shown by their ids: a status, or in words."""
    seed: int


mischiefs = st.builds(
    Mischief,
    pages=st.sets(st.integers(1, 4), max_size=3),
    what=st.lists(
        st.sampled_from(
            [
                *("status", "lose rows", "lose rows quietly", "no rows", "repeat", "no next"),
                *("counts", "no counts", "next for ever", "another account", "garbage"),
            ]
        ),
        max_size=2,
    ),
    skipped=st.sampled_from([None, None, 0, 1, 2]),
    by_id=st.sampled_from(["honest", "honest", *DISHONEST, "another number", "garbage"]),
    seed=st.integers(0, 2**16),
)


def spoiled(
    it: Reconciling, mischief: Mischief, path: str, query: dict[str, str], body: Body
) -> Tampered:
    """An answer, once *mischief* has been at it."""
    by_id = mischief.by_id
    if "/phone-number/" in path and by_id != "honest":
        if isinstance(by_id, int):
            return by_id
        return {"id": 1} if by_id == "another number" else {"records": []}
    if not path.endswith("/phone-number"):
        return None
    page = int(query["page"])
    if mischief.skipped is not None:
        shown = [id_ for id_ in it.there() if int(id_) % 3 != mischief.skipped]
        body["records"] = [n for n in body["records"] if str(n["id"]) in shown]
        body["paging"]["totalElements"] = len(shown)
    chance = Random(mischief.seed + page)
    for each in mischief.what if page in mischief.pages else []:
        if each == "status":
            return chance.choice(DISHONEST)
        if each == "garbage":
            return {"records": chance.choice([None, "x", 7])}
        _spoil(each, body, chance)
    return body


def _spoil(what: str, body: Body, chance: Random) -> None:
    records: list[Number] = body["records"]
    paging, navigation = body["paging"], body["navigation"]
    if what.startswith("lose rows"):
        kept = [record for record in records if chance.random() < 0.5]
        if what.endswith("quietly"):
            paging["totalElements"] -= len(records) - len(kept)
        body["records"] = kept
    elif what == "no rows":
        body["records"] = []
        paging["totalElements"] = 0
    elif what == "repeat":
        body["records"] = records + records[:1]
    elif what == "no next":
        navigation.pop("nextPage", None)
    elif what == "next for ever":
        navigation["nextPage"] = navigation["firstPage"]
    elif what == "counts":
        paging["totalElements"] += chance.choice([-1, 1])
    elif what == "no counts":
        paging.pop("totalElements", None)
        paging.pop("totalPages", None)
    elif what == "another account":
        body["uri"] = "https://platform.ringcentral.com/restapi/v1.0/account/1/phone-number"


@pytest.fixture
def paged(it: Reconciling, pages: Callable[[int], None]) -> Reconciling:
    pages(4)
    return it


NOT_FOUND = {"errorCode": "CMN-102", "message": "not found", "parameterName": "phoneNumberId"}


def goes_wrong(
    it: Reconciling,
    account: str,
    world: list[dict[str, Any]],
    mischief: Mischief,
    *,
    confirmed: bool,
    unprivileged: bool,
) -> None:
    """What is there and was known, still is afterwards; what is not there is not made up."""
    build(it, account, world)
    before = it.held()

    def tamper(path: str, query: dict[str, str], body: Body) -> Tampered:
        # The permission may go at any moment; then no number is found by its id, either.
        if unprivileged and path.endswith("/phone-number") and query["page"] == "1":
            it.platform.faults.unprivileged = True
        if it.platform.faults.unprivileged and "/phone-number/" in path:
            return 404, NOT_FOUND
        return spoiled(it, mischief, path, query, body)

    it.tampering.tamper = tamper
    override = None
    with suppress(InventoryError):
        if confirmed:
            override = Override(it.plan().absent, "whatever it says")
            it.platform.faults.unprivileged = False
        it.apply(override=override)
    assert before & it.there() <= it.held()
    assert it.held() <= it.there() | before


trouble = given(
    world=worlds(), mischief=mischiefs, confirmed=st.booleans(), unprivileged=st.booleans()
)


@settings(max_examples=100)
@trouble
def test_no_fault_makes_a_number_absent_that_is_there(
    paged: Reconciling, new_account: Callable[[], str], **trouble: Any
) -> None:
    goes_wrong(paged, new_account(), **trouble)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("_blind", lambda *_: None),
        ("_look", lambda _, finding: absence(finding.phone_number_id, datetime.now(UTC))),
    ],
)
def test_a_planted_fault_would_be_noticed(
    paged: Reconciling,
    new_account: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    wrong: Any,
) -> None:
    monkeypatch.setattr(RingCentralSource, name, wrong)

    @settings(max_examples=300, phases=[Phase.generate], database=None, report_multiple_bugs=False)
    @trouble
    def property_(**trouble: Any) -> None:
        goes_wrong(paged, new_account(), **trouble)

    with pytest.raises(AssertionError):
        property_()
