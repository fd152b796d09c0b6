"""Reading notifications: every trap of the format, and every reason for quarantine."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.event import Event
from inventory.notification import LONGEST_ID, Rejection, parse, same_content
from inventory.sample import documented_notification

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
LATEST = NOW + timedelta(minutes=5)


def sent(**changes: Any) -> dict[str, Any]:
    """A real-looking notification; *changes* are to its top level, or to `info`."""
    info = changes.pop("info", {})
    notification = documented_notification() | {
        "event": "/restapi/v1.0/account/37439510/phone-number?usageType=ContactCenterNumber"
    }
    notification |= changes
    if isinstance(notification.get("body"), dict):
        notification["body"]["phoneNumberInfo"] |= info
    return {name: value for name, value in notification.items() if value is not ...}


def read(notification: object, **options: Any) -> Event | Rejection:
    payload = notification if isinstance(notification, bytes) else json.dumps(notification).encode()
    return parse(payload, latest=LATEST, **options)


def event(notification: object, **options: Any) -> Event:
    found = read(notification, **options)
    assert isinstance(found, Event), found
    return found


def reason(notification: object, **options: Any) -> str:
    found = read(notification, **options)
    assert isinstance(found, Rejection), found
    return found.reason


def test_the_documented_notification_is_an_event_of_the_account_in_its_uri() -> None:
    payload = json.dumps(documented_notification()).encode()
    found = event(payload)
    assert found.account_id == "37439510"
    assert found.phone_number_id == "987654321"
    assert found.event_type == "Created"
    assert found.origin == "notification"
    assert found.occurred_at == datetime(2013, 6, 14, 12, tzinfo=UTC)
    assert found.owner_id == "8475874957"
    assert found.attributes.phone_number == "+12024999741"
    assert found.attributes.provider_id == "12345"
    assert found.payload.encode() == payload
    assert found.payload_sha256 == sha256(payload).digest()


@pytest.mark.parametrize(
    "spelling",
    [
        "2026-10-01T10:00:00Z",
        "2026-10-01T10:00:00.000Z",
        "2026-10-01T10:00:00+0000",
        "2026-10-01T10:00:00.000+0000",
        "2026-10-01T10:00:00+00:00",
        "2026-10-01T10:00:00",
        "2026-10-01T12:00:00+02:00",
    ],
)
def test_a_timestamp_is_one_instant_however_it_is_spelled(spelling: str) -> None:
    found = event(sent(timestamp=spelling))
    assert found.occurred_at == datetime(2026, 10, 1, 10, tzinfo=UTC)
    assert found.occurred_at.tzinfo is UTC


def test_ids_are_the_same_number_as_strings_and_as_integers() -> None:
    as_integer = event(sent(info={"id": 1, "contactCenterProvider": {"id": 7}}, ownerId=5))
    as_string = event(sent(info={"id": "1", "contactCenterProvider": {"id": "7"}}, ownerId="5"))
    assert as_integer.phone_number_id == as_string.phone_number_id == "1"
    assert as_integer.attributes.provider_id == as_string.attributes.provider_id == "7"
    assert as_integer.owner_id == as_string.owner_id == "5"


def test_a_uuid_of_twenty_digits_is_text() -> None:
    assert event(sent(uuid="12661273919712564939")).event_uuid == "12661273919712564939"


def test_what_is_not_said_stays_null() -> None:
    notification = sent(ownerId=..., subscriptionId=...)
    notification["body"]["phoneNumberInfo"] = {"id": "1"}
    found = event(notification)
    assert set(found.attributes) == {None}
    assert found.subscription_id is None
    assert found.owner_id is None


def test_unknown_keys_and_values_are_welcome() -> None:
    found = event(sent(info={"label": "Desk", "usageType": "Hologram", "status": "Odd"}, more=[1]))
    assert found.attributes.usage_type == "Hologram"
    assert '"label": "Desk"' in found.payload


@pytest.mark.parametrize("placeholder", ["~", "{accountId}"])
def test_the_account_is_the_event_s_else_the_uri_s_else_the_default(placeholder: str) -> None:
    path = f"/restapi/v1.0/account/{placeholder}/phone-number"
    nowhere = {"uri": "https://platform.ringcentral.com/phone-number/1"}
    assert event(sent()).account_id == "37439510"
    assert event(sent(event=path)).account_id == "37439510"
    assert event(sent(event=path, info=nowhere), account_id="5").account_id == "5"
    assert event(sent(event=path, info={"uri": None}), account_id="5").account_id == "5"
    assert event(sent(info=nowhere)).account_id == "37439510"
    assert reason(sent(event=path, info=nowhere)) == "account_unknown"


def test_accounts_that_differ_are_a_mismatch() -> None:
    other = "https://platform.ringcentral.com/restapi/v1.0/account/9/phone-number/1"
    assert reason(sent(info={"uri": other})) == "account_mismatch"


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b"", "invalid_json"),
        (b"{", "invalid_json"),
        (b"\xff\xfe", "invalid_json"),
        (b'{"a": NaN}', "invalid_json"),
        (b'{"a": "\\ud800"}', "invalid_json"),
        (b"[" * 100_000, "invalid_json"),
        (b'{"uuid": 5, "x": "unterminated}', "invalid_json"),
        (b"[]", "invalid_notification"),
        (b'"text"', "invalid_notification"),
        (b"null", "invalid_notification"),
        (b"{}", "invalid_notification"),
    ],
)
def test_what_is_no_notification_at_all(payload: bytes, expected: str) -> None:
    assert reason(payload) == expected


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"uuid": ...}, "uuid"),
        ({"uuid": ""}, "uuid"),
        ({"uuid": "x" * 257}, "uuid"),
        ({"event": ...}, "event"),
        ({"timestamp": ...}, "timestamp"),
        ({"timestamp": "yesterday"}, "timestamp"),
        ({"timestamp": 1700000000}, "timestamp"),
        ({"timestamp": "0001-01-01T00:00:00+23:00"}, "timestamp"),
        ({"body": None}, "body"),
        ({"info": {"id": None}}, "body.phoneNumberInfo.id"),
        ({"info": {"id": "12a"}}, "body.phoneNumberInfo.id"),
        ({"info": {"id": "١٢"}}, "body.phoneNumberInfo.id"),
        ({"info": {"id": ""}}, "body.phoneNumberInfo.id"),
        ({"info": {"id": -1}}, "body.phoneNumberInfo.id"),
        ({"info": {"id": 1.5}}, "body.phoneNumberInfo.id"),
        ({"info": {"id": "1" * (LONGEST_ID + 1)}}, "body.phoneNumberInfo.id"),
        ({"info": {"location": 5}}, "body.phoneNumberInfo.location"),
        ({"info": {"location": "a\0b"}}, "location"),
    ],
)
def test_a_malformed_field_is_named(changes: dict[str, Any], field: str) -> None:
    found = read(sent(**changes))
    assert isinstance(found, Rejection)
    assert found.reason == "invalid_notification"
    assert field in found.detail


@pytest.mark.parametrize(
    "path",
    [
        "/restapi/v1.0/account/37439510/extension/1/message-store",
        "/restapi/v1.0/subscription/~?threshold=432000&interval=86400",
        "/restapi/v1.0/account/37439510/phone-number?usageType=DirectNumber",
        "/restapi/v1.0/account/37439510/phone-number/5",
        "",
    ],
)
def test_other_filters_are_unrelated_whatever_their_body(path: str) -> None:
    assert reason(sent(event=path)) == "unrelated_event"
    assert reason({"uuid": "1", "event": path, "body": {"changes": []}}) == "unrelated_event"


def test_an_unknown_event_type_waits_in_quarantine() -> None:
    notification = sent()
    notification["body"]["eventType"] = "Renamed"
    assert reason(notification) == "unknown_event_type"


def test_the_future_begins_after_the_tolerance() -> None:
    assert reason(sent(timestamp="2026-11-01T12:05:00.001Z")) == "timestamp_in_future"
    assert event(sent(timestamp="2026-11-01T12:05:00.000Z"))


def test_no_rejection_repeats_a_whole_payload() -> None:
    found = read(sent(event="x" * 10_000))
    assert isinstance(found, Rejection)
    assert len(found.detail) < 300


@given(st.binary(max_size=60))
def test_no_bytes_make_it_fail(payload: bytes) -> None:
    read(payload)


@given(st.data())
def test_no_damage_makes_it_fail(data: st.DataObject) -> None:
    payload = json.dumps(sent()).encode()
    at = data.draw(st.integers(0, len(payload)))
    until = data.draw(st.integers(at, min(at + 9, len(payload))))
    read(payload[:at] + data.draw(st.binary(max_size=6)) + payload[until:])


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ('{"a": 1}', '{"a":1}', True),
        ('{"a": 1, "b": [2, 3]}', '{"b":[2,3],"a":1}', True),
        ('{"a": "é"}', '{"a": "\\u00e9"}', True),
        ('{"a": 1}', '{"a": 2}', False),
        ('{"a": 1}', '{"a": 1.0}', False),
        ('{"a": 1}', '{"a": true}', False),
        ('{"a": [1, 2]}', '{"a": [2, 1]}', False),
        ('{"a": null}', "{}", False),
    ],
)
def test_content_is_the_same_as_json(one: str, other: str, *, same: bool) -> None:
    assert same_content(one, other) is same
