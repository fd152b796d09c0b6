"""
A RingCentral notification, read: an event, or the reason why it is none.

The traps of the format are met here and nowhere else: ids that are strings or integers, a
placeholder where the account belongs, four spellings of a timestamp, enumerations that grow.
Unknown keys are welcome; the payload is kept as it arrived. No I/O, no clock.

Source: developer guide, *Contact Center Phone Number Event*; RingCentral publishes no schema of it.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from itertools import accumulate, count
from operator import itemgetter, sub
from typing import Annotated, Any, Literal, NamedTuple, TypeAlias

import msgspec

from inventory.event import CONTACT_CENTER, Attributes, Event, EventType

Reason: TypeAlias = Literal[
    "invalid_json",
    "invalid_notification",
    "unknown_event_type",
    "unrelated_event",
    "account_unknown",
    "account_mismatch",
    "uuid_conflict",
    "timestamp_in_future",
    "archived",
]
"""Why something that arrived is in quarantine and not in the log."""


class Rejection(NamedTuple):
    """Why a notification is not an event: a code for programs, a sentence for people."""

    reason: Reason
    detail: str


Key: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
"""Text that goes into an index: PostgreSQL refuses entries of more than a third of a page."""

LONGEST_ID = 32
"""Digits; RingCentral's own pattern for ids allows 15."""

DEEPEST = 100
"""
Arrays and objects that may be nested in each other; RingCentral's are four.

Every reader has its limit, and Python's depends on where it is called from: what one of ours could
read, another could not (RFC 8259, section 9).
"""

# Typed structs, read by msgspec: no dictionary is built and no key is allocated, a fifth of the
# time that the same reading takes with any reader that builds dictionaries or models.


class _Provider(msgspec.Struct, gc=False):
    id: str | int | None = None
    name: str | None = None


class PhoneNumberInfo(msgspec.Struct, gc=False, rename="camel"):
    """A number as notifications show it, and as REST does: the two have their members in common."""

    id: str | int
    uri: str | None = None
    phone_number: str | None = None
    payment_type: str | None = None
    location: str | None = None
    type: str | None = None
    usage_type: str | None = None
    status: str | None = None
    contact_center_provider: _Provider | None = None


class _Body(msgspec.Struct, gc=False, rename="camel"):
    event_type: str
    phone_number_info: PhoneNumberInfo


class _Notification(msgspec.Struct, gc=False, rename="camel"):
    uuid: Key
    event: str
    timestamp: str
    body: _Body
    subscription_id: str | None = None
    owner_id: str | int | None = None


_read = msgspec.json.Decoder(_Notification).decode
_read_any = msgspec.json.Decoder().decode

_EVENT_TYPES: dict[str, EventType] = {
    "Created": "Created",
    "Updated": "Updated",
    "Deleted": "Deleted",
}

_FILTER = re.compile(
    r"/restapi/v[0-9.]+/account/(?P<account>[^/?]+)/phone-number(?:\?(?P<query>.*))?", re.DOTALL
)
ACCOUNT_IN_URI = re.compile(r"/account/([0-9]{1,32})(?:/|$)")


def parse(payload: bytes, *, latest: datetime, account_id: str | None = None) -> Event | Rejection:
    """
    The event that *payload* is, or why it is none.

    Args:
        payload: One notification as it arrived, JSON in UTF-8.
        latest: The latest timestamp to believe; later ones are rejected as `timestamp_in_future`.
        account_id: The account of notifications that name none.

    >>> parse(b"[]", latest=datetime.now(UTC)).reason
    'invalid_notification'
    """
    # The cheap test goes first: no deeper than there are brackets.
    if payload.count(b"{") + payload.count(b"[") > DEEPEST and too_deep(payload):
        return Rejection(
            "invalid_json", f"expected arrays and objects at most {DEEPEST} deep, found more"
        )
    try:
        text = payload.decode()
        notification = _read(payload)
    except (UnicodeDecodeError, msgspec.DecodeError, RecursionError) as error:
        return _why_invalid(payload, error)
    path = notification.event
    related, account = _filter(path)
    if not related:
        return _unrelated(path)

    body = notification.body
    event_type = _EVENT_TYPES.get(body.event_type)
    if event_type is None:
        return Rejection(
            "unknown_event_type",
            f"body.eventType: expected Created, Updated or Deleted, got {_shown(body.event_type)}",
        )

    info = body.phone_number_info
    uri = info.uri
    if uri is not None and (account is None or f"/account/{account}/" not in uri):
        in_uri = ACCOUNT_IN_URI.search(uri)
        if in_uri is not None:
            if account is not None and account != in_uri[1]:
                return Rejection(
                    "account_mismatch",
                    f"event names account {account}, phoneNumberInfo.uri names {in_uri[1]}",
                )
            account = in_uri[1]
    if account is None:
        account = account_id
    if account is None:
        return Rejection(
            "account_unknown",
            "neither event nor phoneNumberInfo.uri names an account, and no default is set",
        )

    phone_number_id = info.id if type(info.id) is str else str(info.id)
    if not is_id(phone_number_id):
        return Rejection(
            "invalid_notification",
            f"body.phoneNumberInfo.id: expected up to {LONGEST_ID} digits, "
            f"got {_shown(phone_number_id)}",
        )

    try:
        occurred_at = _instant(notification.timestamp)
    except (ValueError, OverflowError):
        return Rejection(
            "invalid_notification",
            f"timestamp: expected ISO 8601, got {_shown(notification.timestamp)}",
        )
    if occurred_at > latest:
        return Rejection(
            "timestamp_in_future",
            f"timestamp: {occurred_at.isoformat()} lies after {latest.isoformat()}",
        )

    event = Event(
        account,
        phone_number_id,
        notification.uuid,
        event_type,
        "notification",
        occurred_at,
        notification.subscription_id,
        _text(notification.owner_id),
        attributes_of(info),
        text,
        sha256(payload).digest(),
    )
    # JSON can spell U+0000, PostgreSQL's text cannot hold it; the cheap test goes first.
    if "\\u0000" in text and (field := _field_with_nul(event)):
        return Rejection("invalid_notification", f"{field}: holds U+0000, which text cannot hold")
    return event


def attributes_of(info: PhoneNumberInfo) -> Attributes:
    """What *info* says of its number."""
    provider = info.contact_center_provider or _NO_PROVIDER
    return Attributes(
        info.phone_number,
        info.payment_type,
        info.location,
        info.type,
        info.usage_type,
        info.status,
        _text(provider.id),
        provider.name,
        info.uri,
    )


_REMINDER = re.compile(r"/restapi/v[0-9.]+/subscription/[^/?]+\?(?:.*&)?threshold=")


class _Shape(msgspec.Struct, gc=False):
    uuid: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    event: Any = msgspec.UNSET
    body: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_read_shape = msgspec.json.Decoder(_Shape).decode


class Shape(NamedTuple):
    """What something that was delivered looks like, before anything in it is believed."""

    notification: bool
    """A JSON object with one of the envelope's members, of whatever content."""
    reminder: bool
    """RingCentral's reminder that a subscription is about to end; it concerns no number."""


def shape(payload: bytes) -> Shape:
    """
    What *payload* looks like; cheap, and never an error.

    Source: developer guide, *Subscription Renewal Reminder*; its `event` repeats the filter
    literally, with `~`.

    >>> shape(b'{"event":"/restapi/v1.0/subscription/~?threshold=60&interval=15"}').reminder
    True
    >>> shape(b"").notification
    False
    """
    try:
        found = _read_shape(payload)
    except (UnicodeDecodeError, msgspec.DecodeError, RecursionError):
        return Shape(notification=False, reminder=False)
    unset = msgspec.UNSET
    return Shape(
        notification=not (found.uuid is unset and found.event is unset and found.body is unset),
        reminder=isinstance(found.event, str) and _REMINDER.match(found.event) is not None,
    )


_STRINGS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*"?', re.DOTALL)
_NO_BRACKETS = bytes(byte for byte in range(256) if byte not in b"{[]}")
_STEPS = bytes.maketrans(b"{[]}", b"\2\2\0\0")


def too_deep(payload: bytes, *, around: int = 0) -> bool:
    """Whether *payload* is nested deeper than may be, with so many objects *around* it."""
    # Looked at without a loop of ours: there may be a million brackets.
    steps = _STRINGS.sub(b"", payload).translate(_STEPS, _NO_BRACKETS)
    depths = map(sub, accumulate(steps), count(1))  # a step up counts 2, a step down 0, less 1 each
    return max(depths, default=0) > DEEPEST - around


def same_content(one: str, other: str) -> bool:
    """
    Whether two payloads say the same: equal as JSON, whatever their white space and key order.

    >>> same_content('{"a": 1, "b": 2}', '{"b":2,"a":1}')
    True
    >>> same_content('{"a": 1}', '{"a": true}')
    False
    """
    return one == other or _canonical(one) == _canonical(other)


def _as_spelled(number: str) -> tuple[str, str]:
    # Python holds 1, 1.0 and True to be equal, and makes no number of more than 4,300 digits.
    return "number", number


def _canonical(payload: str) -> Any:
    """What *payload* holds: every member, also of a name that comes twice; numbers as spelled."""
    return json.loads(
        payload,
        object_pairs_hook=lambda members: ("object", sorted(members, key=itemgetter(0))),
        parse_int=_as_spelled,
        parse_float=_as_spelled,
    )


_NO_PROVIDER = _Provider()


def _filter(path: str) -> tuple[bool, str | None]:
    """Whether an event filter is ours, and the account it names in digits, if any."""
    # Some are a megabyte, and come once.
    return _usual_filter(path) if len(path) < 300 else _any_filter(path)


def _any_filter(path: str) -> tuple[bool, str | None]:
    match = _FILTER.fullmatch(path)
    if match is None:
        return False, None
    query = match["query"] or ""
    if "usageType=" in query and f"usageType={CONTACT_CENTER}" not in query:
        return False, None
    account = match["account"]
    # The documented example holds a literal `{accountId}`, a filter may hold `~`.
    return True, account if is_id(account) else None


_usual_filter = lru_cache(maxsize=4096)(_any_filter)


def is_id(text: str) -> bool:
    """Whether *text* can be RingCentral's id of something: digits, and not too many."""
    return text.isdecimal() and text.isascii() and len(text) <= LONGEST_ID


def _instant(timestamp: str) -> datetime:
    """*timestamp* in UTC; one that names no zone is UTC."""
    instant = datetime.fromisoformat(timestamp)
    if instant.tzinfo is UTC:
        return instant
    if instant.tzinfo is None:
        return instant.replace(tzinfo=UTC)
    return instant.astimezone(UTC)


def _text(value: str | int | None) -> str | None:
    return value if value is None or type(value) is str else str(value)


def _why_invalid(payload: bytes, error: Exception) -> Rejection:
    """The reason behind *error*: unreadable, somebody else's, or ours and malformed."""
    if not isinstance(error, msgspec.ValidationError):
        return _unreadable(error)
    try:
        value = _read_any(payload)  # the typed reader stopped at the first wrong type
    except (msgspec.DecodeError, RecursionError) as unread:
        return _unreadable(unread)
    path = value.get("event") if isinstance(value, dict) else None
    if isinstance(path, str) and not _filter(path)[0]:
        return _unrelated(path)
    what, _, where = str(error).partition(" - at `$")
    return Rejection(
        "invalid_notification",
        f"{where.strip('.`') or 'notification'}: {what[0].lower()}{what[1:]}",
    )


def _unreadable(error: Exception) -> Rejection:
    return Rejection("invalid_json", str(error))


def _unrelated(path: str) -> Rejection:
    return Rejection(
        "unrelated_event", f"event: expected …/account/…/phone-number, got {_shown(path)}"
    )


def _shown(text: str) -> str:
    """*text* quoted and short enough for a sentence."""
    return repr(text if len(text) <= 100 else text[:99] + "…")


def _field_with_nul(event: Event) -> str | None:
    fields = {**event._asdict(), **event.attributes._asdict(), "payload": None}
    return next(
        (name for name, value in fields.items() if isinstance(value, str) and "\0" in value), None
    )
