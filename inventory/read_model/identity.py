"""Which numbers somebody means: an id, or E.164 in any spelling."""

from __future__ import annotations

import phonenumbers
from sqlalchemy import Connection, Text, exists, func, literal, select, union

from inventory import schema
from inventory.errors import InventoryError
from inventory.read_model.conditions import equal

_account = schema.account
_event = schema.event
_version = schema.contact_center_number_version


class NumberUnknown(InventoryError):
    """No event speaks of such a number."""

    def __init__(self, number: str) -> None:
        super().__init__(f"expected a number's id or E.164 number, found no event of {number!r}")
        self.number = number


def identities(
    connection: Connection, number: str, *, account: str | None = None
) -> list[tuple[str, str]]:
    """
    The numbers, as account and id, that *number* names: an id, or E.164 in any spelling.

    An E.164 number that several ids held over time names all of them, in the order of their first
    events.

    Raises:
        NumberUnknown: There is none.
    """
    meant = spellings(number)
    # Versions say every E.164 number an id ever had; the event log is asked by id alone, and for
    # each account, since its indexes begin with that.
    id_ = literal(number.strip(), Text)
    held = union(
        select(_version.c.account_id, _version.c.phone_number_id).where(
            _version.c.phone_number.in_(meant)
        ),
        select(_account.c.account_id, id_).where(
            exists().where(
                _event.c.account_id == _account.c.account_id, _event.c.phone_number_id == id_
            )
        ),
    ).subquery()
    first = (
        select(func.min(_event.c.occurred_at))
        .where(
            _event.c.account_id == held.c.account_id,
            _event.c.phone_number_id == held.c.phone_number_id,
        )
        .scalar_subquery()
    )
    found = connection.execute(
        select(held.c.account_id, held.c.phone_number_id)
        .where(*equal(held, account_id=account))
        .order_by(held.c.account_id, first, held.c.phone_number_id)
    )
    identities_ = [(row.account_id, row.phone_number_id) for row in found]
    if not identities_:
        raise NumberUnknown(number)
    return identities_


def holders(connection: Connection, phone_number: str) -> list[tuple[str, str]]:
    """Everyone, as account and id, that was in the inventory under exactly this E.164 number."""
    key = _version.c.account_id, _version.c.phone_number_id
    rows = connection.execute(
        select(*key).where(_version.c.phone_number == phone_number).group_by(*key).order_by(*key)
    )
    return [(row.account_id, row.phone_number_id) for row in rows]


def spellings(number: str) -> list[str]:
    """
    The E.164 numbers that a spelling can mean.

    Without a plus it can be international already, or national; RingCentral's home is +1.
    """
    digits = "".join(character for character in number if character.isdecimal())
    meant = {f"+{digits}"}
    for spelling, region in ((number, None), (number, "US"), (f"+{digits}", None)):
        try:
            parsed = phonenumbers.parse(spelling, region)
        except phonenumbers.NumberParseException:
            continue
        meant.add(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))
    return sorted(meant)
