"""The law of `inventory.ingest.framing`: nothing vanishes, wherever the blocks were cut."""

from __future__ import annotations

import hashlib
import itertools
import json
import time
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.ingest.framing import KEPT, Truncated, frames

NOTIFICATION = {
    "uuid": "1",
    "event": "/restapi/v1.0/account/{accountId}/phone-number",
    "body": {
        "eventType": "Created",
        "phoneNumberInfo": {
            "id": "2",
            "location": 'Zürich, "ZH" }{ [x]\\',
            "contactCenterProvider": {"id": "3", "name": "},{"},
        },
    },
}
COMPACT = json.dumps(NOTIFICATION, ensure_ascii=False).encode()
PRETTY = json.dumps(NOTIFICATION, ensure_ascii=False, indent=3).encode()
PLAIN = [f'{{"uuid":"{n}","body":{{"id":"{n}","type":"x"}}}}'.encode() for n in range(4)]


def cut(*blocks: bytes, limit: int = 1 << 20) -> list[bytes]:
    return [item for items in frames(blocks, limit=limit) for item in items]


def facts(items: list[bytes]) -> list[tuple[bytes, int, str]]:
    """The items with what a comparison of bytes would not see."""
    return [
        (bytes(item), item.length, item.sha256) if isinstance(item, Truncated) else (item, -1, "")
        for item in items
    ]


def in_pieces(text: bytes, size: int) -> Iterator[bytes]:
    return (text[at : at + size] for at in range(0, len(text), size))


# Forms.

FORMS = {
    "an object": (PRETTY, [PRETTY]),
    "a compact object without newline": (COMPACT, [COMPACT]),
    "a compact array": (b"[" + b",".join([COMPACT] * 3) + b"]", [COMPACT] * 3),
    "a pretty array": (b"[\n  " + b",\n  ".join([PRETTY] * 3) + b"\n]\n", [PRETTY] * 3),
    "an empty array": (b" [ ] ", []),
    "an array of other things": (
        b'[1, "a,]", null, [2, [3]], {}, -1.5e3]',
        [b"1", b'"a,]"', b"null", b"[2, [3]]", b"{}", b"-1.5e3"],
    ),
    "NDJSON": (b"\n".join([COMPACT] * 3), [COMPACT] * 3),
    "NDJSON, mixed line ends, blank lines": (
        b"\r\n\n" + COMPACT + b"\r\n \t\n\n" + COMPACT + b"  \n\r\n" + COMPACT + b"\r",
        [COMPACT] * 3,
    ),
    "pretty objects": (b"\n".join([PRETTY] * 3), [PRETTY] * 3),
    "pretty objects without anything between": (PRETTY * 3, [PRETTY] * 3),
    "compact objects without anything between": (COMPACT * 3, [COMPACT] * 3),
    "pretty objects cut out of an array": (b",\n".join([PRETTY] * 3), [PRETTY] * 3),
    "one form after another": (
        b"["
        + COMPACT
        + b"]\n["
        + PRETTY
        + b"]\n"
        + (COMPACT + b"\n") * 2
        + PRETTY
        + b"\n"
        + COMPACT,
        [COMPACT, PRETTY, COMPACT, COMPACT, PRETTY, COMPACT],
    ),
    "a byte order mark": (b"\xef\xbb\xbf" + COMPACT, [COMPACT]),
    "half a byte order mark": (b"\xef\xbb", [b"\xef\xbb"]),
    "a byte order mark that is not the first": (
        COMPACT + b"\n\xef\xbb\xbf" + COMPACT,
        [COMPACT, b"\xef\xbb\xbf" + COMPACT],
    ),
    "nothing": (b"", []),
    "whitespace": (b" \r\n\t\n", []),
    "something else": (b"hello\nworld\n", [b"hello", b"world"]),
    "bytes that are no text": (
        b'{"a":"\xff\xfe"}\n\xff\x00\n{}',
        [b'{"a":"\xff\xfe"}', b"\xff\x00", b"{}"],
    ),
}


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 1 << 20])
@pytest.mark.parametrize("form", FORMS)
def test_each_form_gives_its_items_as_they_arrived(form: str, size: int) -> None:
    text, items = FORMS[form]

    assert cut(*in_pieces(text, size)) == items


SPACE = st.text(" \t\r\n", max_size=3)
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.text(max_size=4), VALUES, max_size=3)


@st.composite
def spaced(draw: st.DrawFn, values: st.SearchStrategy[Any]) -> bytes:
    """A value's JSON with any whitespace wherever JSON allows some."""

    def text(value: object) -> str:
        if isinstance(value, dict):
            members = [
                f"{space()}{scalar(key)}{space()}:{space()}{text(member)}{space()}"
                for key, member in value.items()
            ]
            return "{" + (",".join(members) or space()) + "}"
        if isinstance(value, list):
            return (
                "[" + (",".join(space() + text(item) + space() for item in value) or space()) + "]"
            )
        return scalar(value)

    def scalar(value: object) -> str:
        return json.dumps(value, ensure_ascii=draw(st.booleans()))

    def space() -> str:
        return draw(SPACE)

    return text(draw(values)).encode(errors="surrogatepass")


@given(st.lists(spaced(VALUES), max_size=5), st.data())
def test_any_array_gives_its_elements(elements: list[bytes], data: st.DataObject) -> None:
    def space() -> bytes:
        return data.draw(SPACE).encode()

    text = space() + b"[" + b",".join(space() + e + space() for e in elements) + b"]" + space()

    assert cut(text) == elements


def begins_like_a_line(item: bytes) -> bool:
    """After NDJSON, this first line alone would be taken for an item."""
    first, newline, _ = item.partition(b"\n")
    return bool(newline) and first.rstrip().endswith(b"}")


@given(
    st.lists(spaced(OBJECTS).filter(lambda item: not begins_like_a_line(item)), max_size=5),
    st.data(),
)
def test_any_objects_one_after_another_come_out(objects: list[bytes], data: st.DataObject) -> None:
    text = b"".join(data.draw(SPACE).encode() + item for item in objects)

    assert cut(text) == objects


@given(st.lists(OBJECTS, max_size=6), st.lists(st.sampled_from([b"\n", b"\r\n", b" \n\n"])))
def test_any_lines_come_out(objects: list[dict[str, Any]], ends: list[bytes]) -> None:
    lines = [json.dumps(item).encode() for item in objects]
    text = b"".join(line + (ends[n % len(ends)] if ends else b"\n") for n, line in enumerate(lines))

    assert cut(text) == lines


# Blocks.

PIECES = st.sampled_from(
    [
        *(bytes((byte,)) for byte in b'{}[],:"\\ \n\r\tx1\xc3\xbc\xef\xbb\xbf'),
        b'"k":',
        b'{"k":',
        b"},{",
        b'{"k":"v"}',
        b"},\n  {",
        b'"a\\"b"',
        b"\xef\xbb\xbf",
        b"\n{",
        b"}\n",
        b"}]\n",
        b"    ",
        *PLAIN[:2],
        *(line + b"\n" for line in PLAIN[:2]),
    ]
)
ANYTHING = st.lists(PIECES, max_size=24).map(b"".join) | st.binary(max_size=40)
LIMITS = st.sampled_from([1, 8, 20, 40, 1 << 20])


@given(ANYTHING, LIMITS, st.lists(st.integers(0, 200), max_size=12))
def test_items_do_not_depend_on_where_blocks_are_cut(
    text: bytes, limit: int, at: list[int]
) -> None:
    edges = sorted({0, *(min(edge, len(text)) for edge in at), len(text)})
    blocks = [text[a:b] for a, b in itertools.pairwise(edges)]

    whole = facts(cut(text, limit=limit))

    assert facts(cut(*blocks, limit=limit)) == whole
    assert facts(cut(*in_pieces(text, 1), limit=limit)) == whole


@given(ANYTHING, LIMITS)
def test_nothing_vanishes(text: bytes, limit: int) -> None:
    """Every byte but framing is in an item, in order; of a truncated one its hash vouches."""
    rest = text.removeprefix(b"\xef\xbb\xbf")
    for item in cut(text, limit=limit):
        length = item.length if isinstance(item, Truncated) else len(item)
        at = rest.index(item)
        assert not rest[:at].strip(b" \t\r\n,[]")
        if isinstance(item, Truncated):
            assert length > limit
            assert hashlib.sha256(rest[at : at + length]).hexdigest() == item.sha256
        else:
            assert 0 < length <= limit
        rest = rest[at + length :]
    assert not rest.strip(b" \t\r\n,[]")


# Damage.


def test_a_damaged_first_line_costs_no_other() -> None:
    for end in range(1, len(PLAIN[0])):
        damaged = PLAIN[0][:end]
        for others in (PLAIN[1:2], PLAIN[1:]):
            assert cut(b"\n".join([damaged, *others])) == [damaged, *others]


def test_a_damaged_line_in_the_middle_costs_no_other() -> None:
    for end in range(1, len(PLAIN[1])):
        lines = [PLAIN[0], PLAIN[1][:end], *PLAIN[2:]]
        assert cut(b"\n".join(lines)) == lines


@pytest.mark.parametrize("between", [b",", b",\n", b", ", b"\n,"])
def test_an_element_that_lost_a_byte_costs_no_other(between: bytes) -> None:
    for gone in range(1, len(PLAIN[1])):
        damaged = PLAIN[1][:gone] + PLAIN[1][gone + 1 :]

        items = cut(b"[" + between.join([PLAIN[0], damaged, *PLAIN[2:]]) + b"]")

        assert items[0] == PLAIN[0]
        assert items[-2:] == PLAIN[2:], damaged
        assert b"".join(items[1:-2]).replace(b",", b"") == damaged.replace(b",", b"")


@pytest.mark.parametrize("at", range(len(PLAIN[1])))
@pytest.mark.parametrize("wrong", [b"}", b"]", b"[", b'"', b"x", b"\xff"])
def test_an_element_with_a_wrong_byte_costs_none_after_the_next(at: int, wrong: bytes) -> None:
    damaged = PLAIN[1][:at] + wrong + PLAIN[1][at + 1 :]

    items = cut(b"[" + b",".join([PLAIN[0], damaged, *PLAIN[2:]]) + b"]")

    assert items[0] == PLAIN[0]
    assert items[-1] == PLAIN[3]


def test_a_truncated_element_of_a_pretty_array_costs_no_other() -> None:
    pretty = [json.dumps(json.loads(line), indent=2).encode() for line in PLAIN]
    for end in range(1, len(pretty[1])):
        damaged = pretty[1][:end]

        items = cut(b"[\n" + b",\n".join([pretty[0], damaged, *pretty[2:]]) + b"\n]")

        assert items[0] == pretty[0]
        assert items[-2:] == pretty[2:], damaged


def test_a_damaged_pretty_object_costs_no_other() -> None:
    damaged = PRETTY.replace(b'"Created"', b'"Created')

    assert cut(b"\n".join([PRETTY, damaged, PRETTY, PRETTY])) == [PRETTY, damaged, PRETTY, PRETTY]


@pytest.mark.parametrize("form", [b"[" + b",".join(PLAIN) + b"]", b"[\n" + b",\n".join(PLAIN)])
def test_a_file_cut_off_gives_what_is_whole_and_then_the_rest(form: bytes) -> None:
    for end in range(len(form)):
        items = cut(form[:end])

        whole = [line for line in PLAIN if line in form[:end]]
        assert items[: len(whole)] == whole
        assert len(items) <= len(whole) + 1
        if len(items) > len(whole):
            assert form[:end].endswith(items[-1])


def test_an_object_whose_bracket_is_a_wrong_one_ends_where_its_line_does() -> None:
    items = cut(b'[\n{"a":[1,2},\n{"b":1},\n{"c":2}]\n{"d":3}\n')

    assert items == [b'{"a":[1,2}', b'{"b":1}', b'{"c":2}', b'{"d":3}']


def test_an_element_that_never_ends_is_left_at_the_next_object_after_the_limit() -> None:
    text = b'[\n{"list":[' + b"1,\n" * 50 + b"1" + b",\n".join([b"", *PLAIN]) + b"]"

    items = cut(text, limit=100)

    assert isinstance(items[0], Truncated)
    assert items[1:] == PLAIN


# Limits.


@pytest.mark.parametrize("size", [100, 5_000, 1 << 20])
def test_a_line_beyond_the_limit_is_counted_and_the_next_are_whole(size: int) -> None:
    long = b'{"a":"' + b"x" * 200_000 + b'"}'
    text = b"\n".join([COMPACT, long + b" " * 20_000 + b"\r", COMPACT, b"y" * 100_001, COMPACT])

    items = cut(*in_pieces(text, size), limit=100_000)

    assert [items[0], items[2], items[4]] == [COMPACT] * 3
    assert facts(items)[1] == (long[:KEPT], len(long), hashlib.sha256(long).hexdigest())
    assert facts(items)[3][1] == 100_001


@pytest.mark.parametrize("between", [b" ", b"x", b'{"a":', b"[", b"\n", b'{"a":1}\n{"b":'])
def test_memory_is_bounded(between: bytes) -> None:
    block = between * (8_192 // len(between))

    def blocks() -> Iterator[bytes]:
        yield b'[{"a": "'
        for _ in range(60):
            yield block
        yield b'"}]'

    tracemalloc.start()
    try:
        for _ in frames(blocks(), limit=20_000):
            pass
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 400_000


@pytest.mark.parametrize(
    "text",
    [
        b"[" * 100_000,
        b"{" * 100_000,
        b"[{" * 100_000,
        b'{"a":' * 40_000,
        b'{"a":\n' * 40_000,
        b"[" + b"}" * 100_000,
        b"[" + b"\n" * 100_000,
        b"[" + b'{"a":"' * 40_000,
        b'[{"a":"' + b"\\n" * 100_000,
        b'{"a":[\n{}\n,\n' * 20_000,
        b'[{"a":\n{}\n{' * 20_000,
        b'[{"k":["a},{"' * 20_000,
        b"{}\n" + b"{\n" * 50_000,
        b"{}\n" + b"[1]\n" * 50_000,
        b"{}\n" + b"{}{}\n" * 50_000,
    ],
    ids=lambda text: repr(text[:16]),
)
def test_time_is_linear(text: bytes) -> None:
    """Twice the input takes about twice the time, in one block as in many."""

    def seconds(size: int, repeat: int) -> float:
        began = time.perf_counter()
        cut(*in_pieces(text[: len(text) * repeat // 4], size))
        return time.perf_counter() - began

    for size in (4_096, 1 << 22):
        quarter = min(seconds(size, 1) for _ in range(3))
        assert min(seconds(size, 4) for _ in range(2)) < 12 * quarter + 0.05
