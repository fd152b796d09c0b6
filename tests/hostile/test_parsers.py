"""Everything else that reads what others wrote: it is understood, or refused in our own words."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import pytest
from cronsim import CronSim
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from inventory.cli.parameters import DURATION, INSTANT
from inventory.database import Database
from inventory.errors import InventoryError
from inventory.event import Attributes
from inventory.notification import is_id
from inventory.observation import Sighting, observe
from inventory.read_model.identity import spellings
from inventory.reconciliation.listing import UnreadableList, Unusable, rows_of
from inventory.reconciliation.schedule import latest_tick
from inventory.settings import InvalidSettings, load
from tests.conftest import Command
from tests.hostile.payloads import TIMESTAMPS

SECRET = "hunter2"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DIGITS = st.sampled_from(
    ["0", "9" * 9, "9" * 18, "9" * 19, "9" * 5000, "\u0663", "\u00b2", "\uff11"]
)


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings of whoever runs this."""
    import os

    for name in list(os.environ):
        if name.startswith("INVENTORY_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def tried(read: Callable[[], Any], refusal: type[Exception]) -> Any:
    """What is read, or why it is refused; anything else is an error."""
    try:
        return read()
    except refusal as error:
        return error


# Times.


@given(
    st.sampled_from(TIMESTAMPS)
    | st.text(max_size=20)
    | st.tuples(st.sampled_from(["-", "", "--", "- "]), DIGITS, st.sampled_from("smhdwy")).map(
        "".join
    )
)
def test_a_time_is_an_instant_in_utc_or_a_usage_error(text: str) -> None:
    found = tried(lambda: INSTANT.convert(text, None, None), click.BadParameter)
    if isinstance(found, click.BadParameter):
        assert "expected ISO 8601 or a time ago such as -7d, got " in found.message
    else:
        assert found.tzinfo is UTC


@given(st.tuples(DIGITS, st.sampled_from("smhdwy")).map("".join) | st.text(max_size=9))
@example("9" * 18 + "w")
def test_a_length_of_time_is_one_or_a_mistake(text: str) -> None:
    length = tried(lambda: DURATION.convert(text, None, None), click.BadParameter)
    if isinstance(length, click.BadParameter):
        assert "expected a length of time" in length.message
    else:
        assert length > timedelta(0)
    loaded = tried(lambda: load(future_tolerance=text), InvalidSettings)
    if isinstance(loaded, InvalidSettings):
        assert str(loaded).startswith("INVENTORY_FUTURE_TOLERANCE: ")


FIELDS = st.sampled_from(
    [
        "*",
        "0",
        "5",
        "59",
        "*/7",
        "1-5",
        "5-1",
        "1,2",
        "*/0",
        "L",
        "LW",
        "1#5",
        "MON#5",
        "JAN",
        "?",
        "31",
        "29",
        "2",
        "7",
        "\u00b2",
        "\u0663",
        "9" * 5000,
        "-",
        "",
    ]
)


@given(st.lists(FIELDS, min_size=1, max_size=6).map(" ".join) | st.text(max_size=12))
@example("0 0 29 2 MON#5")
def test_a_schedule_has_a_next_tick_and_a_last_one_or_is_a_mistake(expression: str) -> None:
    loaded = tried(lambda: load(reconcile_schedule=expression), InvalidSettings)
    if isinstance(loaded, InvalidSettings):
        assert str(loaded).startswith("INVENTORY_RECONCILE_SCHEDULE: ")
    elif schedule := loaded.reconcile_schedule:
        assert latest_tick(schedule, NOW) <= NOW < next(CronSim(schedule, NOW))


# Settings.

LINES = st.sampled_from(
    [
        *(f'database_url = "postgresql://u:{SECRET}@[::1"', f'webhook_token = ["{SECRET}"]'),
        *(
            f'database_url = {{password = "{SECRET}"}}',
            f"ringcentral_jwt = {SECRET}",
            f'nope = "{SECRET}"',
        ),
        *(
            f'webhook_token = "{SECRET}',
            "account_id = 5",
            'account_id = "\u0665"',
            "[x",
            "home = 1979-05-27",
        ),
        *(
            'allowed_hosts = "[::1"',
            "allowed_hosts = [1]",
            'trusted_proxies = "\u0661.1.1.1"',
            "a = b = c",
        ),
        *(
            'account_id = "1"',
            f'webhook_url = "https://x:{SECRET}@[/?{SECRET}"',
            "future_tolerance = -1",
        ),
    ]
)


@given(
    st.lists(LINES | st.text(max_size=9), max_size=4).map("\n".join).map(str.encode)
    | st.binary(max_size=20).map(lambda junk: junk + f'webhook_token = "{SECRET}"'.encode())
)
@example(f'webhook_token = "{SECRET}\xff"'.encode("latin-1"))
def test_a_file_of_settings_is_understood_or_refused_and_no_secret_is_shown(content: bytes) -> None:
    Path("inventory.toml").write_bytes(content)
    found = tried(load, InvalidSettings)
    assert SECRET not in repr(found)
    if isinstance(found, InvalidSettings):
        assert SECRET not in str(found)
        assert found.__context__ is None or found.__suppress_context__


def test_a_secret_s_file_that_is_no_text_is_named_and_not_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path("token").write_bytes(SECRET.encode() + b"\xff\x00")
    monkeypatch.setenv("INVENTORY_WEBHOOK_TOKEN_FILE", "token")
    with pytest.raises(InvalidSettings, match="_FILE: token: expected text in UTF-8"):
        load()


@given(
    password=st.text("\x00%@:/?#[] \\\"'\n\u00e9ab", max_size=6),
    place=st.sampled_from(
        ["127.0.0.1:1/x", "[::1", "127.0.0.1:abc", "127.0.0.1:1/x?bogus=1", "127.0.0.1:1/x?%"]
    ),
)
@hypothesis_settings(max_examples=60)
@example(password="/x@y@z", place="127.0.0.1:1/x")
@example(password="@rest-of-it", place="127.0.0.1:1/x")
@example(password="@#", place="127.0.0.1:1/x")
@example(password="%", place="127.0.0.1:1/x")
def test_no_error_of_an_address_shows_its_password(password: str, place: str) -> None:
    url = f"postgresql://u:{SECRET}{password}{SECRET}@{place}"
    with pytest.raises(InventoryError) as caught:
        Database(url, None).connect(connect_timeout=1)
    said = str(caught.value)
    assert SECRET not in said
    assert caught.value.__context__ is None or caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("settings", "arguments", "expected"),
    [
        ({"INVENTORY_DATABASE_URL": f"postgresql://u:{SECRET}%@h/x"}, ("event", "list"), "libpq"),
        ({}, ("number", "show", "\udcff"), "expected text in UTF-8"),
        ({}, ("change", "list", "--since", "-" + "9" * 12 + "w"), "expected ISO 8601"),
        ({}, ("change", "list", "--since", "0001-01-01T00:00+23:59"), None),
        ({}, ("change", "list", "--until", "9999-12-31T23:59-23:59"), None),
        ({"INVENTORY_FUTURE_TOLERANCE": "9" * 15 + "w"}, ("event", "list"), "999999999 days"),
    ],
    ids=["password", "bytes", "long ago", "the first day", "the last day", "tolerance"],
)
def test_the_command_says_what_is_wrong_with_what_it_was_given(
    inventory: Command, settings: dict[str, Any], arguments: tuple[str, ...], expected: str | None
) -> None:
    said = inventory(*arguments, exits=2 if expected else 0, **settings).stderr
    assert (expected or "") in said
    assert "Traceback" not in said
    assert SECRET not in said


# Phone numbers.


@given(st.text(max_size=300) | st.text("0123456789+() -.\u0661\u00b2\uff11;ext=", max_size=40))
def test_every_spelling_of_a_phone_number_is_e164_or_nothing(text: str) -> None:
    for meant in spellings(text):
        assert re.fullmatch(r"\+\d*", meant)
    assert not is_id(text) or text.encode().isdigit()


# Lists to compare with.


CELLS = st.sampled_from(
    [
        *('"a,b"', '"open', '""', "\x00", "\ufeff", "1", "9" * 40, "\u0661", "1e5", "+12024999741"),
        *("phone_number", "id", "account_id", "=1+1", "\u202e", "\r", "\x85", "\u2028", "\x1c"),
    ]
)
VALUES = st.recursive(
    st.sampled_from(
        [
            "NaN",
            "Infinity",
            "1e999",
            "9" * 5000,
            "9" * 20,
            "true",
            "null",
            '"\\ud800"',
            '"\\u0000"',
            '"1"',
            '"+12024999741"',
            "{",
            "-0",
            '"x"',
        ]
    ),
    lambda inner: st.lists(inner, max_size=3).map(lambda each: "[" + ",".join(each) + "]"),
    max_leaves=4,
)
NAMES = st.sampled_from(
    [
        "id",
        "phone_number",
        "phone_number_id",
        "account_id",
        "uri",
        "status",
        "contactCenterProvider",
        "contactCenterProvider.id",
        "\\ud800",
        "more",
    ]
)
OBJECTS = st.lists(st.tuples(NAMES, VALUES), max_size=4).map(
    lambda members: "{" + ",".join(f'"{name}":{value}' for name, value in members) + "}"
)


@given(
    kind=st.sampled_from([".csv", ".ndjson"]),
    content=st.lists(st.lists(CELLS, max_size=4).map(",".join) | OBJECTS | VALUES, max_size=5)
    .map("\n".join)
    .map(lambda text: text.encode("utf-8", "surrogatepass"))
    | st.binary(max_size=40),
)
@hypothesis_settings(max_examples=300)
@example(kind=".ndjson", content=b'{"id":"1","status":"\\ud800"}')
@example(kind=".ndjson", content=b'{"id":"1","more":NaN}')
@example(kind=".ndjson", content=b'{"id":"1","more":1e999}')
@example(kind=".ndjson", content=b'{"id":"1","more":"\\u0000"}')
@example(kind=".ndjson", content=b'{"id":"1","more":' + b"[" * 99 + b"]" * 99 + b"}")
@example(kind=".csv", content=b"id,status\n1," + b"x" * 200_000)
def test_a_list_s_rows_are_such_that_postgresql_can_hold_them_or_faults(
    kind: str, content: bytes
) -> None:
    path = Path(f"list{kind}")
    path.write_bytes(content)
    rows = tried(lambda: list(rows_of(path, {}, "1")), UnreadableList)
    if isinstance(rows, UnreadableList):
        assert str(rows).startswith("expected a ")
        return
    for row in rows:
        if isinstance(row, Unusable):
            row.reason.encode()
            assert "\0" not in row.reason
            continue
        for text in (row.phone_number_id or "", row.as_it_came, *row.said.values()):
            text.encode()
            assert "\0" not in text
        assert row.phone_number_id is None or is_id(row.phone_number_id)
        assert "phone_number" not in row.said or re.fullmatch(r"\+[0-9]+", row.said["phone_number"])
        # What is neither JSON nor a value of it: NaN, and numbers beyond all.
        json.loads(row.as_it_came, parse_constant=pytest.fail)
        found = Attributes()._replace(**row.said)
        sighting = Sighting(row.phone_number_id or "1", NOW, found, row.as_it_came)
        observe(sighting, account_id="1", run="1", held=None)
