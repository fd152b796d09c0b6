"""From bytes to an event or a reason, and nothing else; held to two other readers of JSON."""

from __future__ import annotations

import hashlib
import json
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import Connection

from inventory import event_row, verification
from inventory.database import Database
from inventory.event import Event
from inventory.ingest import Intake, Outcome
from inventory.ingest.framing import Truncated, frames
from inventory.notification import DEEPEST, Rejection, parse, same_content, shape
from inventory.verification import Verified
from tests import folds
from tests.hostile.payloads import ACCOUNT, SOUND, payloads

LATEST = datetime(2026, 11, 1, tzinfo=UTC)
LIMIT = 1 << 16
"""Bytes that an item may have here, so that limits are met."""


def _loaded(payload: bytes) -> Any:
    """*payload* by another reader, whose numbers stay as they are spelled."""
    return json.loads(payload.decode(), parse_int=str, parse_float=str)


def _text(value: Any) -> str | None:
    assert value is None or isinstance(value, str)
    return value


@given(payloads() | st.binary())
@settings(max_examples=400)
def test_bytes_are_an_event_or_a_reason_and_python_s_json_reads_every_event_as_we_do(
    payload: bytes,
) -> None:
    found = parse(payload, latest=LATEST, account_id="5")
    shape(payload)

    if isinstance(found, Rejection):
        assert 0 < len(found.detail) < 400
        assert "\0" not in found.detail
        found.detail.encode()
        return
    loaded = _loaded(payload)
    info = loaded["body"]["phoneNumberInfo"]
    provider = info.get("contactCenterProvider") or {}
    assert found.payload.encode() == payload
    assert found.payload_sha256 == hashlib.sha256(payload).digest()
    assert found.phone_number_id == info["id"]
    assert found.event_uuid == loaded["uuid"]
    assert found.event_type == loaded["body"]["eventType"]
    assert found.subscription_id == _text(loaded.get("subscriptionId"))
    assert found.owner_id == loaded.get("ownerId")
    assert found.attributes == (
        *map(info.get, ("phoneNumber", "paymentType", "location", "type", "usageType", "status")),
        *map(provider.get, ("id", "name")),
        info.get("uri"),
    )
    assert found.occurred_at <= LATEST
    assert same_content(found.payload, found.payload + " ")


@given(st.lists(payloads(), min_size=1, max_size=12), st.data())
@settings(max_examples=150)
def test_items_and_what_becomes_of_them_do_not_depend_on_where_blocks_were_cut(
    pieces: list[bytes], data: st.DataObject
) -> None:
    between = data.draw(st.sampled_from([b"\n", b",", b"", b"\r\n\n", b",\n", b"\r"]))
    text = data.draw(st.sampled_from([b"", b"[", b"\xef\xbb\xbf", b"\xff\xfe"]))
    text += between.join(pieces) + data.draw(st.sampled_from([b"", b"]", b"\n", b"]]"]))
    size = data.draw(st.integers(1, 300))
    blocks = [text[at : at + size] for at in range(0, len(text), size)]

    def facts(blocks: list[bytes]) -> list[object]:
        items = [item for some in frames(blocks, limit=LIMIT) for item in some]
        return [
            (bytes(item), isinstance(item, Truncated) and (item.length, item.sha256))
            for item in items
        ]

    assert facts(blocks) == facts([text])


@pytest.fixture(scope="module")
def connection(database_of_module: Database) -> Iterator[Connection]:
    with database_of_module.connect() as connection:
        yield connection


def take_in(connection: Connection, account: str, blocks: list[bytes]) -> Outcome:
    total = Outcome()

    def written(outcome: Outcome) -> None:
        nonlocal total
        total += outcome

    intake = Intake("test", account_id=account, future_tolerance=timedelta(0))
    intake.run(connection, frames(blocks), written)
    connection.commit()
    return total


@given(pieces=st.lists(payloads(), min_size=1, max_size=30))
@settings(max_examples=60)
def test_what_is_appended_can_be_held_folded_and_verified_and_the_rest_is_kept_as_it_came(
    connection: Connection, new_account: Callable[[], str], pieces: list[bytes]
) -> None:
    account = new_account()
    text = b"\n".join(pieces).replace(ACCOUNT.encode(), account.encode())
    items = [item for some in frames([text]) for item in some]

    outcome = take_in(connection, account, [text])

    assert outcome.total == len(items)
    rows = connection.execute(
        "SELECT payload::text FROM inventory.event WHERE account_id = %s", [account]
    ).fetchall()
    appended = {row[0] for row in rows}
    rows = connection.execute("SELECT payload, detail FROM inventory.quarantine").fetchall()
    quarantined = {row[0]: row[1] for row in rows}
    # What our own reading lets pass, PostgreSQL takes, too.
    assert not [detail for detail in quarantined.values() if "PostgreSQL refused" in detail]
    for item in items:
        if item in quarantined:
            continue
        found = parse(item, latest=datetime.now(UTC), account_id=account)
        assert isinstance(found, Event)
        if found.account_id == account and found.payload not in appended:
            assert any(same_content(found.payload, text) for text in appended)
    folds.fold(connection, account)
    connection.commit()
    if appended:
        differences = verification.verify(connection, Verified(), account=account)
        assert list(differences) == []


DEEP = [b"[" * 5000 + b"]" * 5000, b'{"a":' * 5000 + b"1" + b"}" * 5000, b"[" * 1_000_000]


@pytest.mark.parametrize("deep", DEEP, ids=["lists", "objects", "never closed"])
def test_what_is_nested_too_deep_is_refused_from_wherever_it_is_read(deep: bytes) -> None:
    def read(calls: int) -> object:
        payload = b'{"uuid":"1","more":' + deep + b"}"
        return parse(payload, latest=LATEST) if calls == 0 else read(calls - 1)

    expected = f"expected arrays and objects at most {DEEPEST} deep, found more"
    assert {read(0), read(700)} == {Rejection("invalid_json", expected)}


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_what_is_nested_as_deep_as_may_be_is_read_from_wherever(opening: bytes) -> None:
    closing = b"]" if opening == b"[" else b"}"

    def found(depth: int) -> Event | Rejection:
        deep = opening * depth + b'"[[[[{{{{\\""' + closing * depth
        # Brackets in strings are text, and objects beside one another are not in one another.
        beside = b"{}," * 200 + b"{}"
        return parse(SOUND[:-1] + b',"more":' + deep + b',"wide":[' + beside + b"]}", latest=LATEST)

    assert isinstance(found(DEEPEST - 1), Event)
    assert isinstance(found(DEEPEST), Rejection)


@pytest.mark.parametrize(
    ("more", "other", "same"),
    [
        (b"9" * 5000, b"9" * 5000, True),
        (b"9" * 5000, b"9" * 4999 + b"8", False),
        (b"1e999999", b"1e999999", True),
        (b"1e999999", b"2e999999", False),
        (b"1.5" + b"0" * 5000, b"1.5" + b"0" * 5001, False),
        (b"[" * 90 + b"]" * 90, b"[ " * 90 + b"]" * 90, True),
        (b'{"a":1,"a":2}', b'{"a":2}', False),
        (b'{"a":1,"a":"2"}', b'{"a":1, "a":"2"}', True),
    ],
    ids=lambda value: repr(value)[:16],
)
def test_what_arrives_again_is_compared_however_large_its_numbers(
    connection: Connection, new_account: Callable[[], str], more: bytes, other: bytes, *, same: bool
) -> None:
    account = new_account()
    sound = SOUND.replace(ACCOUNT.encode(), account.encode())
    first, second = (sound[:-1] + b',"more":' + text + b"}" for text in (more, b" " + other))

    # In one batch, and in two.
    assert take_in(connection, account, [first + b"\n" + second]).appended == 1
    outcome = take_in(connection, account, [second])

    assert (outcome.duplicates, outcome.quarantined) == ((1, 0) if same else (0, 1))
    kept = connection.execute("SELECT payload FROM inventory.quarantine").fetchall()
    assert ((second,) in kept) is not same


def test_nothing_large_is_remembered_of_what_was_read() -> None:
    tracemalloc.start()
    try:
        for serial in range(100):
            large = b"%d" % serial * 50_000
            payload = SOUND.replace(b'phone-number"', b"phone-number?" + large + b'"')
            payload = payload.replace(b'"id":"1"', b'"id":"1","location":"' + large + b'"')
            found = parse(payload, latest=LATEST)
            assert isinstance(found, Event)
            event_row.unplaced(found)
        kept = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()

    assert kept < 2_000_000
