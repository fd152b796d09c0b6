"""The log: events in their places."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, Text, case, cast, func, select

from inventory import schema
from inventory.errors import InventoryError
from inventory.event import Attributes, Event, Recorded
from inventory.read_model.conditions import equal, of_numbers, within

_event = schema.event
_archive = schema.archive
_seal = schema.seal
_WITHOUT_PAYLOAD = [column for column in _event.c if column.name != "payload"]
# The seal over an event is the first that reaches its position.
_source = (
    select(_seal.c.source)
    .where(_seal.c.account_id == _event.c.account_id, _seal.c.last_position >= _event.c.position)
    .order_by(_seal.c.last_position)
    .limit(1)
    .scalar_subquery()
)


def _whole(account_id: str, since: datetime | None = None) -> Any:
    """A condition that fails where events that matter are in an archive alone."""
    return func.inventory.require_whole_log(cast(account_id, Text), cast(since, schema.INSTANT))


class EventUnknown(InventoryError):
    """No account's log holds such an event."""

    def __init__(self, what: str) -> None:
        super().__init__(f"expected an event in the log, found none {what}")


class AccountNeeded(InventoryError):
    """Several accounts have what was asked for, and none was named."""

    def __init__(self, accounts: Sequence[str]) -> None:
        super().__init__(f"expected --account, one of {', '.join(accounts)}")
        self.accounts = tuple(accounts)


def events(
    *,
    account: str | None = None,
    keys: Sequence[tuple[str, str]] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    event_type: str | None = None,
    origin: str | None = None,
    at: datetime | None = None,
    known_at: datetime | None = None,
    limit: int | None = None,
) -> Select[Any]:
    """
    Events by account and position, without their payloads.

    *since*, *until* and *at* are about when they occurred, *known_at* is about when we recorded
    them: those until then, inclusive.
    """
    wanted = [*within(_event.c.occurred_at, since, until), *of_numbers(_event, keys)]
    if at is not None:
        wanted.append(_event.c.occurred_at <= at)
    if known_at is not None:
        wanted.append(_event.c.recorded_at <= known_at)
    return (
        select(*_WITHOUT_PAYLOAD)
        .where(*wanted, *equal(_event, account_id=account, event_type=event_type, origin=origin))
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
        select(*_WITHOUT_PAYLOAD, cast(_event.c.payload, Text).label("payload"))
        .where(_event.c.position == position, *equal(_event, account_id=account))
        .order_by(_event.c.account_id)
    )
    found = rows.mappings().all()
    if not found:
        away = connection.execute(
            select(_archive.c.directory).where(
                _archive.c.first_position <= position,
                _archive.c.last_position >= position,
                *equal(_archive, account_id=account),
            )
        ).scalars()
        where = "".join(f", for it is archived in {directory}" for directory in away)
        raise EventUnknown(f"at position {position}{where}")
    if len(found) > 1:
        raise AccountNeeded([row["account_id"] for row in found])
    return found[0]


def heads(connection: Connection, *, account: str | None = None) -> dict[str, int]:
    """The position of each account's latest event."""
    rows = connection.execute(
        select(schema.account.c.account_id, schema.account.c.position).where(
            *equal(schema.account, account_id=account)
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
                select(*_WITHOUT_PAYLOAD)
                .where(
                    _event.c.account_id == account_id,
                    _event.c.position > after,
                    _event.c.position <= head,
                )
                .order_by(_event.c.position)
            ).mappings()
            positions[account_id] = head


def log_of(
    connection: Connection,
    account_id: str,
    phone_number_id: str,
    *,
    at: datetime | None = None,
    known_at: datetime | None = None,
    since: datetime | None = None,
) -> list[Recorded]:
    """
    What was recorded of one number, as the law wants it, each event with its source.

    With *at* what occurred until then, with *known_at* what was known then; else everything. It
    fails if some of it is in an archive alone, unless only its state *since* a time after that
    matters: when the number entered or got its provider may then be missing from it.
    """
    wanted = [
        _whole(account_id, since),
        _event.c.account_id == account_id,
        _event.c.phone_number_id == phone_number_id,
    ]
    if at is not None:
        wanted.append(_event.c.occurred_at <= at)
    if known_at is not None:
        wanted.append(_event.c.recorded_at <= known_at)
    rows = connection.execute(
        select(
            *_WITHOUT_PAYLOAD,
            cast(_event.c.payload, Text).label("payload"),
            _source.label("source"),
        ).where(*wanted)
    )
    return [_recorded(row) for row in rows.mappings()]


def account_log(
    connection: Connection, account_id: str, *, head: int, until: datetime | None = None
) -> Iterator[Recorded]:
    """
    An account's log up to *head*, in the order of its positions.

    With *until*, what was recorded before then. Streamed: a thousand events at a time are here. The
    payloads are left out, but for those of corrections: in them are the reasons.
    """
    rows = connection.execute(
        select(
            *_WITHOUT_PAYLOAD,
            case((_event.c.origin == "operator", cast(_event.c.payload, Text)), else_="").label(
                "payload"
            ),
            _source.label("source"),
        )
        .where(
            _whole(account_id),
            _event.c.account_id == account_id,
            _event.c.position <= head,
            *within(_event.c.recorded_at, None, until),
        )
        .order_by(_event.c.position),
        execution_options={"yield_per": 1000},
    )
    return map(_recorded, rows.mappings())


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
    return Recorded(row["position"], row["recorded_at"], event, row["source"])
