"""
Dispelling doubt: asking RingCentral about the numbers whose last notification said nothing.

An `Updated` that changes nothing may have been a farewell (`lifecycle`). One GET by id tells, and
what it tells is appended as an observation.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

from psycopg import Connection
from psycopg.rows import class_row

from inventory import event_log
from inventory.event import Attributes
from inventory.observation import Sighting, UnusableAnswer, absence, observe, sight
from inventory.ringcentral import Denied, RingCentral

PERMISSION = "ReadCompanyPhoneNumbers"
"""Without it a number of another user is not found, which would look as if it had been deleted."""
AT_ONCE = 20
"""Numbers a turn, of the 50 requests a minute that the group allows for everything."""

# Of several replicas one asks, since they share a budget.
TRY_ALONE = "SELECT pg_try_advisory_lock(hashtextextended('inventory confirmation', 0))"
NO_LONGER_ALONE = "SELECT pg_advisory_unlock(hashtextextended('inventory confirmation', 0))"

# What was observed and is not yet folded is not asked again; nor is what was sent at a time that,
# by our clock, has not come: an observation would not come after it.
DOUBTED = """
SELECT
    phone_number_id, phone_number, payment_type, location, number_type, usage_type, status,
    provider_id, provider_name, uri, unverified_since
FROM inventory.contact_center_number AS number
WHERE account_id = %(account_id)s
  AND unverified_since < %(now)s
  AND NOT EXISTS (
      SELECT
      FROM inventory.event
      WHERE event.account_id = number.account_id
        AND event.phone_number_id = number.phone_number_id
        AND event.origin <> 'notification'
        AND event.origin = 'observation'
        AND event.occurred_at > number.unverified_since
  )
ORDER BY unverified_since
LIMIT %(limit)s
"""


class _Doubted(NamedTuple):
    phone_number_id: str
    phone_number: str | None
    payment_type: str | None
    location: str | None
    number_type: str | None
    usage_type: str | None
    status: str | None
    provider_id: str | None
    provider_name: str | None
    uri: str | None
    unverified_since: datetime


class Confirmed(NamedTuple):
    """What a turn found."""

    asked: int
    appended: int


def confirm(
    connection: Connection,
    ringcentral: RingCentral,
    *,
    stopped: Callable[[], bool] = lambda: False,
) -> Confirmed:
    """
    Ask about the numbers of RingCentral's account that are in doubt, the longest doubted first.

    Each finding is committed by itself. Does nothing while another process asks. Expects a
    connection in autocommit mode; no transaction is open while RingCentral is waited for.

    Raises:
        Denied: Our user may not see every number, so that nothing can be said of a missing one.
        RingCentralError: It could not be asked; what was found before is appended.
    """
    if connection.execute(TRY_ALONE).fetchone() != (True,):
        return Confirmed(0, 0)
    try:
        return _confirm(connection, ringcentral, stopped)
    finally:
        if not connection.broken:
            connection.execute(NO_LONGER_ALONE)


def _confirm(
    connection: Connection, ringcentral: RingCentral, stopped: Callable[[], bool]
) -> Confirmed:
    now = datetime.now(UTC)
    account_id = ringcentral.account_id()
    wanted = {"account_id": account_id, "now": now, "limit": AT_ONCE}
    with connection.cursor(row_factory=class_row(_Doubted)) as cursor:
        doubted = cursor.execute(DOUBTED, wanted).fetchall()
    asked = appended = 0
    for number in doubted:
        if stopped():
            break
        sighting = look(ringcentral, account_id, number.phone_number_id)
        if sighting.attributes is None and not ringcentral.may(PERMISSION):
            raise Denied(
                "to see every number of the account", f"a user without permission {PERMISSION}"
            )
        asked += 1
        event = observe(
            sighting,
            account_id=account_id,
            run=f"confirmation {number.unverified_since.isoformat()}",
            held=Attributes(*number[1:10]),
        )
        with connection.transaction():
            # Had somebody asked before and the doubt not been folded yet, this would be a conflict
            # with what they appended, and be left out.
            batch = event_log.prepare([event])
            outcome = event_log.append(connection, batch, source="confirmation")
        appended += outcome.appended
    return Confirmed(asked, appended)


def look(ringcentral: RingCentral, account_id: str, phone_number_id: str) -> Sighting:
    """
    What RingCentral has of one number now.

    That it has none may mean that we may not see it: ask for `PERMISSION` before believing it.

    Raises:
        RingCentralError: It could not be asked.
        UnusableAnswer: It answered with something else.
    """
    seen_at = datetime.now(UTC)
    answer = ringcentral.phone_number(account_id, phone_number_id)
    if answer is None:
        return absence(phone_number_id, seen_at)
    sighting = sight(answer, account_id=account_id, seen_at=seen_at)
    if sighting.phone_number_id != phone_number_id:
        raise UnusableAnswer(
            f"expected number {phone_number_id} from RingCentral, got {sighting.phone_number_id}"
        )
    return sighting
