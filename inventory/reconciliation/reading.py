"""
What a source lists, and whether it lists everything.

The proof is pages that hang together: each answered, each of our account, none repeated, and
counts that agree and hold still. Where it fails, what was listed is still there; what was not
listed says nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

from inventory.confirmation import PERMISSION
from inventory.observation import Sighting, UnusableAnswer, sight
from inventory.ringcentral import (
    LAST_PAGE,
    Denied,
    Page,
    RingCentral,
    RingCentralError,
)

_ACCOUNT = re.compile(r"/account/([0-9]+)/")


@dataclass
class Reading:
    """A list, read."""

    begun_at: datetime
    """The moment before the first request."""
    sightings: dict[str, Sighting] = field(default_factory=dict)
    """Each number that is listed, by its id."""
    rows: int = 0
    """Records that the list holds, unusable and repeated ones counted."""
    faults: list[str] = field(default_factory=list)
    """Why it may lack numbers; empty: it is complete."""

    @property
    def complete(self) -> bool:
        return not self.faults


def require_permission(ringcentral: RingCentral) -> None:
    """
    See that our user may see every number.

    Without the permission lists are answered 200, and lack every Contact Center number. Source:
    developer guide, *Phone numbers*.

    Raises:
        Denied: It may not.
    """
    if not ringcentral.may(PERMISSION):
        raise Denied(
            "to see every number of the account", f"a user without permission {PERMISSION}"
        )


def read(ringcentral: RingCentral, account_id: str) -> Reading:
    """
    The account's Contact Center numbers, as RingCentral lists them.

    Raises:
        Denied: We may not read them.
        RingCentralError: Not even the first page could be read.
    """
    require_permission(ringcentral)
    reading = Reading(datetime.now(UTC))
    first: Page | None = None
    for number in range(1, LAST_PAGE + 1):
        seen_at = datetime.now(UTC)
        try:
            page = ringcentral.contact_center_numbers(number)
        except RingCentralError as error:
            if first is None:
                raise
            reading.faults.append(str(error))
            return reading
        first = first or page
        fresh = _take(reading, page, account_id, seen_at)
        reading.faults += _doubts(page, number, first)
        if page.records and not fresh:
            # The same page again and again; there would be no end of it.
            return reading
        if not _goes_on(page, number):
            reading.faults += _end(page, number, first, reading.rows)
            return reading
    reading.faults.append(f"expected an end after {LAST_PAGE} pages, found a next page named")
    return reading


def _take(reading: Reading, page: Page, account_id: str, seen_at: datetime) -> int:
    """Add what *page* lists; returns how many numbers were not listed before."""
    reading.rows += len(page.records)
    account = _ACCOUNT.search(page.uri or "")
    if account is not None and account[1] != account_id:
        reading.faults.append(
            f"expected numbers of account {account_id}, found a page of account {account[1]}"
        )
        return 0
    fresh = 0
    for record in page.records:
        try:
            sighting = sight(record, account_id=account_id, seen_at=seen_at)
        except UnusableAnswer as error:
            reading.faults.append(str(error))
            continue
        if sighting.phone_number_id in reading.sightings:
            reading.faults.append(
                f"expected each number once, found {sighting.phone_number_id} again"
            )
        else:
            fresh += 1
        reading.sightings[sighting.phone_number_id] = sighting
    return fresh


def _doubts(page: Page, number: int, first: Page) -> list[str]:
    """What *page* says that does not go with what was asked for, or with the first page."""
    doubts = []
    if page.page is not None and page.page != number:
        doubts.append(f"expected page {number}, found page {page.page}")
    for what, then, now in (
        ("numbers", first.total_elements, page.total_elements),
        ("pages", first.total_pages, page.total_pages),
    ):
        if None not in (then, now) and then != now:
            doubts.append(
                f"expected the list to hold still, found {then} {what} on page 1 and {now} on "
                f"page {number}"
            )
    return doubts


def _goes_on(page: Page, number: int) -> bool:
    """
    Whether there is a page after this one.

    No single member can be trusted to say so. A page that names none, in a list that says nothing
    of its length, is taken for the last one only if it has room left.
    """
    if not page.records:
        return False
    if page.followed is not None:
        return page.followed
    if page.total_pages is not None:
        return number < page.total_pages
    return page.full


def _end(last: Page, number: int, first: Page, rows: int) -> list[str]:
    """What does not go with *last* being the last page, and *rows* being all there is."""
    doubts = []
    elements = first.total_elements if last.total_elements is None else last.total_elements
    pages = first.total_pages if last.total_pages is None else last.total_pages
    if elements is not None and elements != rows:
        doubts.append(f"expected {elements} numbers, found {rows}")
    # An empty list is said to have a page, or none; an empty page at the end is not counted.
    held = number if last.records else number - 1
    if pages is not None and max(pages, 1) != max(held, 1):
        doubts.append(f"expected {pages} pages, found {held}")
    if last.followed and not last.records:
        doubts.append("expected an end after an empty page, found a next page named")
    return doubts
