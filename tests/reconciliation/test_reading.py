from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from inventory.ringcentral import Denied, Unavailable
from tests.reconciliation.conftest import Body, Reconciling


@pytest.fixture
def three_pages(it: Reconciling, pages: Callable[[int], None]) -> Reconciling:
    pages(10)
    for _ in range(25):
        it.platform.add()
    return it


def first(body: Body) -> int:
    return int(body["records"][0]["id"])


def test_a_list_of_several_pages_is_read_completely(three_pages: Reconciling) -> None:
    reading = three_pages.source.read()
    assert reading.faults == []
    assert set(reading.sightings) == three_pages.there()
    assert reading.rows == 25
    assert [path for _, path in three_pages.tampering.asked].count(
        "/restapi/v1.0/account/~/phone-number"
    ) == 3


@pytest.mark.parametrize("numbers", [0, 1, 9, 10, 11, 20])
@pytest.mark.parametrize("silent_about", ["nothing", "counts", "navigation", "all of it"])
def test_whatever_a_list_leaves_out_its_end_is_found(
    it: Reconciling, pages: Callable[[int], None], numbers: int, silent_about: str
) -> None:
    pages(10)
    for _ in range(numbers):
        it.platform.add()

    def leave_out(_page: int, body: Body) -> Body:
        if silent_about in {"counts", "all of it"}:
            for name in ("totalPages", "totalElements", "page", "pageStart", "pageEnd"):
                body["paging"].pop(name, None)
        if silent_about in {"navigation", "all of it"}:
            del body["navigation"]
        if silent_about == "all of it":
            del body["uri"]
        return body

    it.lists(leave_out)
    reading = it.source.read()
    assert reading.faults == []
    assert set(reading.sightings) == it.there()


def no_next(page: int, body: Body) -> Body:
    if page == 2:
        del body["navigation"]["nextPage"]
    return body


def repeated(page: int, body: Body) -> Body:
    if page == 2:
        body["records"] = repeated.before  # type: ignore[attr-defined]
    repeated.before = body["records"]  # type: ignore[attr-defined]
    return body


def counts_that_move(page: int, body: Body) -> Body:
    body["paging"]["totalElements"] += page
    return body


def one_less(page: int, body: Body) -> Body:
    if page == 2:
        body["records"].pop()
    return body


def another_page(_page: int, body: Body) -> Body:
    body["paging"]["page"] = 1
    return body


def of_another_account(page: int, body: Body) -> Body:
    if page == 2:
        body["uri"] = body["uri"].replace("/~/", "/999/")
    return body


def number_of_another_account(page: int, body: Body) -> Body:
    if page == 2:
        body["records"][3]["uri"] = body["records"][3]["uri"].replace("/400000001/", "/999/")
    return body


def number_without_an_id(page: int, body: Body) -> Body:
    if page == 2:
        del body["records"][3]["id"]
    return body


def no_records(page: int, body: Body) -> Body:
    if page == 3:
        del body["records"]
    return body


@pytest.mark.parametrize(
    "tamper",
    [
        no_next,
        repeated,
        counts_that_move,
        one_less,
        another_page,
        of_another_account,
        number_of_another_account,
        number_without_an_id,
        no_records,
        lambda page, _: 500 if page == 2 else None,
        lambda page, _: 403 if page == 3 else None,
        lambda page, _: 206 if page == 3 else None,
        lambda page, body: {**body, "records": []} if page == 2 else None,
        lambda page, body: {**body, "records": "none"} if page == 2 else None,
    ],
)
def test_a_list_that_does_not_hang_together_is_incomplete_and_still_shows_what_it_shows(
    three_pages: Reconciling, tamper: Any
) -> None:
    three_pages.lists(tamper)
    reading = three_pages.source.read()
    assert not reading.complete
    assert reading.sightings.keys() <= three_pages.there()
    assert len(reading.sightings) >= 10


def test_a_list_that_never_ends_ends(three_pages: Reconciling) -> None:
    def again(_page: int, body: Body) -> Body:
        body["navigation"]["nextPage"] = body["navigation"]["firstPage"]
        body["records"] = again.first  # type: ignore[attr-defined]
        return body

    again.first = [dict(n) for n in three_pages.platform.contact_center()[:10]]  # type: ignore[attr-defined]
    three_pages.lists(again)
    reading = three_pages.source.read()
    assert not reading.complete
    assert len(reading.sightings) == 10


def test_a_list_that_cannot_be_read_at_all_is_unavailable(three_pages: Reconciling) -> None:
    three_pages.lists(lambda page, _: 500 if page == 1 else None)
    with pytest.raises(Unavailable):
        three_pages.source.read()


def test_without_the_permission_nothing_is_read(three_pages: Reconciling) -> None:
    three_pages.platform.faults.unprivileged = True
    with pytest.raises(Denied, match="ReadCompanyPhoneNumbers"):
        three_pages.source.read()
    assert not [path for _, path in three_pages.tampering.asked if path.endswith("phone-number")]


def test_what_a_number_says_is_taken_as_it_came(it: Reconciling) -> None:
    number = it.platform.add(vanityPattern="FUN", contactCenterProvider={"id": "7", "name": "G é"})
    (sighting,) = it.source.read().sightings.values()
    assert '"vanityPattern"' in sighting.answer
    assert sighting.attributes is not None
    assert sighting.attributes.provider_name == "G é"
    assert sighting.phone_number_id == str(number["id"])
