"""
What can be asked of the inventory: every read of the command line, in SQLAlchemy's expressions.

Rows come as SQLAlchemy rows named like the SQL columns, streamed from the server.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import phonenumbers
from sqlalchemy import (
    Column,
    Connection,
    MetaData,
    RowMapping,
    Select,
    Table,
    Text,
    cast,
    func,
    select,
    tuple_,
    union,
)

from inventory import schema
from inventory.errors import InventoryError
from inventory.event import Attributes, Event, Recorded

_number = schema.contact_center_number
_version = schema.contact_center_number_version
_event = schema.event
_quarantine = schema.quarantine

# The views, as the migrations make them.
_views = MetaData(schema=schema.NAME)
_CHANGE_COLUMNS = (
    *("account_id", "phone_number_id", "phone_number", "changed_at", "kind"),
    *("from_provider_id", "from_provider_name", "to_provider_id", "to_provider_name"),
    *("position", "origin"),
)
_change = Table("change", _views, *(Column(name) for name in _CHANGE_COLUMNS))
_reassignment = Table("reassignment", _views, *(Column(name) for name in _CHANGE_COLUMNS))
_freshness = Table(
    "freshness",
    _views,
    *(Column(name) for name in ("account_id", "head", "projected_position", "lag_events")),
    *(Column(name) for name in ("lag_seconds", "last_notification_at")),
    *(Column(name) for name in ("last_reconciliation_at", "open_quarantine")),
)

_EVENT_WITHOUT_PAYLOAD = [column for column in _event.c if column.name != "payload"]


class NumberUnknown(InventoryError):
    """No event speaks of such a number."""

    def __init__(self, number: str) -> None:
        super().__init__(f"expected a number's id or E.164 number, found no event of {number!r}")
        self.number = number


class EventUnknown(InventoryError):
    """No account's log holds such an event."""

    def __init__(self, what: str) -> None:
        super().__init__(f"expected an event in the log, found none {what}")


class AccountNeeded(InventoryError):
    """Several accounts have what was asked for, and none was named."""

    def __init__(self, accounts: Sequence[str]) -> None:
        super().__init__(f"expected --account, one of {', '.join(accounts)}")
        self.accounts = tuple(accounts)


def numbers(
    *,
    account: str | None = None,
    provider: str | None = None,
    status: str | None = None,
    limit: int | None = None,
) -> Select[Any]:
    """The current inventory, in order of account and E.164 number."""
    return (
        select(_number)
        .where(*_equal(_number, account_id=account, provider_id=provider, status=status))
        .order_by(_number.c.account_id, _number.c.phone_number, _number.c.phone_number_id)
        .limit(limit)
    )


def numbers_as_of(
    at: datetime | None,
    known_at: datetime | None,
    *,
    account: str | None = None,
    provider: str | None = None,
    status: str | None = None,
    limit: int | None = None,
) -> Select[Any]:
    """The inventory as it was *at* one time, from what was known at another; null: now."""
    columns = ("account_id", "phone_number_id", *Attributes._fields)
    number = (
        func.inventory.number_as_of(
            func.now() if at is None else at, func.now() if known_at is None else known_at
        )
        .table_valued(*columns)
        .alias("number")
    )
    return (
        select(number)
        .where(*_equal(number, account_id=account, provider_id=provider, status=status))
        .order_by(number.c.account_id, number.c.phone_number, number.c.phone_number_id)
        .limit(limit)
    )


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
    spellings = _e164(number)
    key = tuple_(_event.c.account_id, _event.c.phone_number_id)
    # Versions say every E.164 number an id ever had; the event log is asked by id alone.
    held = union(
        select(_version.c.account_id, _version.c.phone_number_id).where(
            _version.c.phone_number.in_(spellings)
        ),
        select(_event.c.account_id, _event.c.phone_number_id).where(
            _event.c.phone_number_id == number.strip()
        ),
    ).subquery()
    found = connection.execute(
        select(_event.c.account_id, _event.c.phone_number_id)
        .where(
            key.in_(select(held.c.account_id, held.c.phone_number_id)),
            *_equal(_event, account_id=account),
        )
        .group_by(_event.c.account_id, _event.c.phone_number_id)
        .order_by(_event.c.account_id, func.min(_event.c.occurred_at))
    )
    identities_ = [(row.account_id, row.phone_number_id) for row in found]
    if not identities_:
        raise NumberUnknown(number)
    return identities_


def current(keys: Sequence[tuple[str, str]]) -> Select[Any]:
    """The rows of these numbers in the current inventory; those that left have none."""
    return (
        select(_number)
        .where(tuple_(_number.c.account_id, _number.c.phone_number_id).in_(keys))
        .order_by(_number.c.account_id, _number.c.phone_number_id)
    )


def history(keys: Sequence[tuple[str, str]], *, limit: int | None = None) -> Select[Any]:
    """The versions of these numbers, oldest first."""
    return (
        select(_version)
        .where(tuple_(_version.c.account_id, _version.c.phone_number_id).in_(keys))
        .order_by(_version.c.account_id, _version.c.valid_from, _version.c.phone_number_id)
        .limit(limit)
    )


def changes(
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    kind: Sequence[str] = (),
    account: str | None = None,
    limit: int | None = None,
) -> Select[Any]:
    """Changes in [since, until), latest first."""
    wanted = _within(_change, since, until)
    if kind:
        wanted.append(_change.c.kind.in_(kind))
    return (
        select(_change)
        .where(*wanted, *_equal(_change, account_id=account))
        .order_by(_change.c.changed_at.desc(), _change.c.account_id, _change.c.position.desc())
        .limit(limit)
    )


def reassignments(
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    from_provider: str | None = None,
    to_provider: str | None = None,
    account: str | None = None,
    limit: int | None = None,
) -> Select[Any]:
    """Reassignments in [since, until), latest first."""
    moved = _reassignment
    return (
        select(moved)
        .where(
            *_within(moved, since, until),
            *_equal(
                moved,
                account_id=account,
                from_provider_id=from_provider,
                to_provider_id=to_provider,
            ),
        )
        .order_by(moved.c.changed_at.desc(), moved.c.account_id, moved.c.position.desc())
        .limit(limit)
    )


def events(
    *,
    account: str | None = None,
    keys: Sequence[tuple[str, str]] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    event_type: str | None = None,
    origin: str | None = None,
    limit: int | None = None,
) -> Select[Any]:
    """Events by account and position, without their payloads; times are when they occurred."""
    wanted = []
    if since is not None:
        wanted.append(_event.c.occurred_at >= since)
    if until is not None:
        wanted.append(_event.c.occurred_at < until)
    if keys is not None:
        wanted.append(tuple_(_event.c.account_id, _event.c.phone_number_id).in_(keys))
    return (
        select(*_EVENT_WITHOUT_PAYLOAD)
        .where(*wanted, *_equal(_event, account_id=account, event_type=event_type, origin=origin))
        .order_by(_event.c.account_id, _event.c.position)
        .limit(limit)
    )


def event_at(connection: Connection, position: int, *, account: str | None = None) -> RowMapping:
    """
    One event, with its payload as it arrived.

    Raises:
        EventUnknown: There is none.
        AccountNeeded: Several accounts have one at *position*, and none was named.
    """
    rows = connection.execute(
        select(*_EVENT_WITHOUT_PAYLOAD, cast(_event.c.payload, Text).label("payload"))
        .where(_event.c.position == position, *_equal(_event, account_id=account))
        .order_by(_event.c.account_id)
    )
    found = rows.mappings().all()
    if not found:
        raise EventUnknown(f"at position {position}")
    if len(found) > 1:
        raise AccountNeeded([row["account_id"] for row in found])
    return found[0]


def heads(connection: Connection, *, account: str | None = None) -> dict[str, int]:
    """The position of each account's latest event."""
    rows = connection.execute(
        select(schema.account.c.account_id, schema.account.c.position).where(
            *_equal(schema.account, account_id=account)
        )
    )
    return {row.account_id: row.position for row in rows}


def events_after(
    connection: Connection, positions: dict[str, int], *, account: str | None = None
) -> Iterator[RowMapping]:
    """Events after each account's *positions*, which are moved on; accounts not in it from 0."""
    for account_id, head in sorted(heads(connection, account=account).items()):
        after = positions.get(account_id, 0)
        if head > after:
            yield from connection.execute(
                select(*_EVENT_WITHOUT_PAYLOAD)
                .where(
                    _event.c.account_id == account_id,
                    _event.c.position > after,
                    _event.c.position <= head,
                )
                .order_by(_event.c.position)
            ).mappings()
            positions[account_id] = head


def log_of(connection: Connection, account_id: str, phone_number_id: str) -> list[Recorded]:
    """Everything ever recorded of one number, as the law wants it."""
    rows = connection.execute(
        select(*_EVENT_WITHOUT_PAYLOAD, cast(_event.c.payload, Text).label("payload")).where(
            _event.c.account_id == account_id, _event.c.phone_number_id == phone_number_id
        )
    )
    return [_recorded(row) for row in rows.mappings()]


def freshness() -> Select[Any]:
    """How current each account's inventory is."""
    return select(_freshness).order_by(_freshness.c.account_id)


def quarantined(
    *, everything: bool = False, reason: str | None = None, limit: int | None = None
) -> Select[Any]:
    """What is in quarantine and open, or *everything* that ever was; without the payloads."""
    wanted = [] if everything else [_quarantine.c.resolved_at.is_(None)]
    columns = [c for c in _quarantine.c if c.name not in {"payload", "payload_sha256"}]
    return (
        select(*columns, func.octet_length(_quarantine.c.payload).label("bytes"))
        .where(*wanted, *_equal(_quarantine, reason=reason))
        .order_by(_quarantine.c.id)
        .limit(limit)
    )


def quarantined_item(
    connection: Connection,
    id: int,  # noqa: A002 - its name
) -> RowMapping | None:
    """One item with its payload as it arrived, open or not."""
    rows = connection.execute(select(_quarantine).where(_quarantine.c.id == id))
    return rows.mappings().one_or_none()


def _recorded(row: RowMapping) -> Recorded:
    event = Event(
        row["account_id"],
        row["phone_number_id"],
        row["event_uuid"],
        row["event_type"],
        row["origin"],
        row["occurred_at"],
        row["subscription_id"],
        row["owner_id"],
        Attributes(*(row[name] for name in Attributes._fields)),
        row["payload"],
        row["payload_sha256"],
    )
    return Recorded(row["position"], row["recorded_at"], event)


def _equal(table: Any, **wanted: str | None) -> list[Any]:
    """A condition for each column that something is wanted of."""
    return [table.c[name] == value for name, value in wanted.items() if value is not None]


def _within(changed: Table, since: datetime | None, until: datetime | None) -> list[Any]:
    edges = []
    if since is not None:
        edges.append(changed.c.changed_at >= since)
    if until is not None:
        edges.append(changed.c.changed_at < until)
    return edges


def _e164(number: str) -> list[str]:
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
