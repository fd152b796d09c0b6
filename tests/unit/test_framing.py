"""Cutting streams into items: nothing is lost, however it is cut and whatever is damaged."""

from __future__ import annotations

import json
import re
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.ingest.framing import KEPT, Truncated, frames

ONE, TWO, THREE = b'{"a": 1}', b'{"b": {"c": [2, "}]"]}}', '{"é": "\\"{"}'.encode()
PRETTY = json.dumps({"a": [1, {"b": "x\ny"}], "c": {}}, indent=3).encode()


def cut(stream: bytes, size: int = 5, **options: int) -> list[bytes]:
    blocks = [stream[at : at + size] for at in range(0, len(stream), size)]
    return [item for items in frames(blocks, **options) for item in items]


@pytest.mark.parametrize(
    "stream",
    [
        b"\n".join([ONE, TWO, THREE]),
        b"\r\n".join([ONE, TWO, THREE, b""]),
        b"\n\n \n" + b"\n \n".join([ONE, TWO, THREE]) + b"\n\n",
        b"\xef\xbb\xbf" + b"\n".join([ONE, TWO, THREE]),
        b"[" + b",".join([ONE, TWO, THREE]) + b"]",
        b" [\n  " + b" ,\n  ".join([ONE, TWO, THREE]) + b"\n]\n",
        b"\xef\xbb\xbf[" + ONE + b"] [" + TWO + b"," + THREE + b"]",
        b"[" + ONE + b"]\n" + TWO + b"\n" + THREE,
    ],
)
@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_every_form_gives_the_same_items(stream: bytes, size: int) -> None:
    assert cut(stream, size) == [ONE, TWO, THREE]


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_pretty_printed_objects_are_items_as_they_are(size: int) -> None:
    assert cut(PRETTY, size) == [PRETTY]
    assert cut(PRETTY + b"\n" + PRETTY + b"\n\n", size) == [PRETTY, PRETTY]
    assert cut(b"[" + PRETTY + b",\n" + PRETTY + b"]", size) == [PRETTY, PRETTY]


@pytest.mark.parametrize("stream", [b"", b" \n\t\r\n", b"\xef\xbb\xbf", b"[]", b"[ ]\n"])
def test_nothing_gives_nothing(stream: bytes) -> None:
    assert cut(stream) == []


@pytest.mark.parametrize(
    ("stream", "items"),
    [
        (b'{"a": bro\n' + TWO + b"\n" + THREE, [b'{"a": bro', TWO, THREE]),
        (ONE + b'\n{"b": \n' + THREE, [ONE, b'{"b":', THREE]),
        (b"junk\n" + ONE, [b"junk", ONE]),
        (b'"text"\n' + ONE, [b'"text"', ONE]),
        (b"[" + ONE + b', {"b": x}, ' + THREE + b"]", [ONE, b'{"b": x}', THREE]),
        (b"[" + ONE + b', {"b: 2},\n ' + THREE + b"]", [ONE, b'{"b: 2}', THREE]),
        (b"[" + ONE + b', {"b": {"c": 2},\n ' + THREE + b"]", [ONE, b'{"b": {"c": 2}', THREE]),
        (b"[" + ONE + b', {"b":', [ONE, b'{"b":']),
        (b"[" + ONE + b', 5, "x y", null, ' + TWO + b"]", [ONE, b"5", b'"x y"', b"null", TWO]),
        (b'{"a":', [b'{"a":']),
        (PRETTY[:-1] + b"\n" + PRETTY, [PRETTY[:-1].rstrip(), PRETTY]),
    ],
)
@pytest.mark.parametrize("size", [1, 4, 1000])
def test_damage_is_cut_out_and_what_follows_is_found(
    stream: bytes, items: list[bytes], size: int
) -> None:
    found = [re.sub(rb",\s*$", b"", item) for item in cut(stream, size)]
    assert found == items


@pytest.mark.parametrize("form", [b"%s\n%s\n%s", b"[%s,\n%s,\n%s]"])
@pytest.mark.parametrize("size", [100, 4096, 10**6])
def test_an_item_beyond_the_limit_is_cut_short_and_said_so(form: bytes, size: int) -> None:
    long = b'{"a": "' + b"x" * 300_000 + b'"}'
    first, second, third = cut(form % (ONE, long, TWO), size, limit=100_000)
    assert (first, third) == (ONE, TWO)
    assert isinstance(second, Truncated)
    assert second == long[:KEPT]
    assert second.length in (len(long), len(long) + 1)  # a comma may not be told from it
    assert second.sha256 in {sha256(long).hexdigest(), sha256(long + b",").hexdigest()}


def test_an_item_within_the_limit_is_whole() -> None:
    item = b'{"a": "' + b"x" * 9_000 + b'"}'
    assert cut(item, 1000, limit=10_000) == [item]


VALUES = st.dictionaries(
    st.text(max_size=5),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
        max_leaves=5,
    ),
    max_size=4,
)
FORMS = st.sampled_from(["lines", "array", "pretty array", "pretty"])


@given(st.lists(VALUES, min_size=1, max_size=6), FORMS, st.booleans(), st.integers(1, 40))
def test_any_values_in_any_form_come_back(
    values: list[object], form: str, ascii_: bool, size: int  # noqa: FBT001 - hypothesis passes it
) -> None:
    indent = 2 if "pretty" in form else None
    if "array" in form:
        stream = json.dumps(values, indent=indent, ensure_ascii=ascii_)
    else:
        stream = "\n".join(json.dumps(v, indent=indent, ensure_ascii=ascii_) for v in values)
    assert [json.loads(item) for item in cut(stream.encode(), size)] == values


ODD = st.lists(
    st.sampled_from([*b'{}[]",:\\ \n\ta1', *b'{"}']).map(lambda code: bytes([code])), max_size=60
).map(b"".join)


@given(ODD | st.binary(max_size=60), st.integers(1, 20))
def test_no_byte_is_lost_and_blocks_do_not_matter(stream: bytes, size: int) -> None:
    whole = cut(stream, max(1, len(stream)))
    assert cut(stream, size) == whole
    framing = b" \t\r\n\x0b\x0c,[]"
    kept = b"".join(whole).translate(None, framing)
    assert kept == stream.removeprefix(b"\xef\xbb\xbf").translate(None, framing)


@pytest.mark.parametrize("hostile", [b"[" * 10**6, b"{" * 10**6, b'{"' * 10**6, b'["' + b"a" * 10**6])
def test_hostile_nesting_ends(hostile: bytes) -> None:
    cut(hostile, 1 << 16)
