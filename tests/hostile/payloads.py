"""What somebody could send who means harm, or whose program is broken: around a notification."""

from __future__ import annotations

from hypothesis import strategies as st

# Spellings of a value, as bytes of JSON or of nearly JSON.
NUMBERS = (
    *(b"0", b"-0", b"1", b"-1", b"00", b"01", b"+1", b"1.", b".5", b"0x10", b"1_000", b"1e5"),
    *(b"1E+", b"-", b"1e999999", b"-1e999999", b"1e-999999", b"1.0", b"1.00", b"0.1", b"1e400"),
    *(b"9" * 18, b"9" * 19, b"9" * 33, b"9" * 400, b"9" * 4301, b"9" * 4301 + b".5"),
    *(b"NaN", b"Infinity", b"-Infinity", b"nan", b"9223372036854775808", b"18446744073709551616"),
)
WORDS = (b"true", b"false", b"null", b"None", b"undefined", b"tru", b"", b"// a comment\n1", b"'x'")
STRINGS = (
    *(b'""', b'"1"', b'"\\u0000"', b'"\x00"', b'"a\\u0000b"', b'"\\ud800"', b'"\\udc00\\ud800"'),
    *(b'"\\ud83d\\ude00"', b'"\xed\xa0\x80"', b'"\xff"', b'"\xc0\x80"', b'"\xf4\x90\x80\x80"'),
    *(b'"\\x"', b'"\\u12"', b'"\t"', b'"\n"', b'"\\n"', b'"\x7f"', b'"open', b'"\'\\\\"', b'"}{"'),
    *(
        '"\u0661\u0662٣"'.encode(),
        '"\uff11\uff12"'.encode(),
        '"\u00b2"'.encode(),
        '"\u2167"'.encode(),
        '"\u202e321"'.encode(),
    ),
    *('"\u2028"'.encode(), '"\ufeff"'.encode(), '"\ufffe"'.encode(), '"e\u0301"'.encode()),
    *(b'"' + b"x" * 257 + b'"', b'"' + b"1" * 33 + b'"', b'"' + b"x" * 9000 + b'"'),
)
TIMESTAMPS = (
    *("0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59"),
    *("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59-23:59", "294276-12-31T00:00:00Z"),
    *("2016-12-31T23:59:60Z", "2026-01-01T24:00:00Z", "2026-02-30T00:00:00Z", "20260101T000000Z"),
    *("2026-01-01T00:00:00+99:99", "2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00+23:59:59.9"),
    *(
        "2026-W01-1",
        "2026-001",
        "2026-01-01",
        "2026-01-01 00:00",
        "\u0662\u0660\u0662٦-01-01T00:00:00Z",
        "now",
    ),
    *("-0044-03-15T00:00:00Z", "2026-01-01T00:00:00.1234567890123Z", "infinity", "1700000000"),
    *(
        "2026-01-01\u202800:00:00Z",
        "2026-01-01T00:00:00\u221201:00",
        "\uff12\uff10\uff12\uff16-01-01",
        "2026-01-01T00Z",
    ),
)

SPACE = st.sampled_from([b"", b" ", b"\n", b"\r\n", b"\t", b"\x0c", b"\xc2\xa0", b"\xef\xbb\xbf"])


def _string(text: str) -> bytes:
    return b'"' + text.encode("utf-8", "surrogatepass").replace(b'"', b'\\"') + b'"'


def _nested(depth: int, opening: bytes) -> bytes:
    closing = b"]" if opening == b"[" else b"}"
    return opening * depth + b"0" + closing * depth


values = st.one_of(
    st.sampled_from(NUMBERS),
    st.sampled_from(WORDS),
    st.sampled_from(STRINGS),
    st.sampled_from(TIMESTAMPS).map(_string),
    st.text(max_size=12).map(_string),
    st.binary(max_size=8),
    st.builds(
        _nested, st.sampled_from([3, 90, 96, 97, 100, 900, 5000]), st.sampled_from([b"[", b'{"a":'])
    ),
    st.lists(st.sampled_from(NUMBERS + STRINGS), max_size=3).map(
        lambda v: b"[" + b",".join(v) + b"]"
    ),
)

ACCOUNT = "812345"
"""The account of nearly all of them."""
_SOUND = {
    b"uuid": b'"u1"',
    b"event": f'"/restapi/v1.0/account/{ACCOUNT}/phone-number"'.encode(),
    b"timestamp": b'"2026-01-01T00:00:00Z"',
    b"subscriptionId": b'"s"',
    b"ownerId": b'"7"',
}
_SOUND_INFO = {
    b"id": b'"1"',
    b"uri": b"null",
    b"phoneNumber": b'"+12024999741"',
    b"paymentType": b'"Local"',
    b"location": b'"Washington, DC"',
    b"type": b'"VoiceFax"',
    b"usageType": b'"ContactCenterNumber"',
    b"status": b'"Normal"',
    b"contactCenterProvider": b'{"id":"1","name":"In-Contact"}',
}
_names = st.sampled_from(
    [*_SOUND, *_SOUND_INFO, b"body", b"eventType", b"more", b"\\u0000", b"\\u0069d"]
)


@st.composite
def _members(draw: st.DrawFn, sound: dict[bytes, bytes], *more: tuple[bytes, bytes]) -> bytes:
    """An object: mostly sound, with some members other than they should be, or there twice."""
    members = [*sound.items(), *more]
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        at = draw(st.integers(0, len(members) - 1))
        do = draw(st.sampled_from(["replace", "repeat", "drop", "add"]))
        if do == "replace":
            members[at] = members[at][0], draw(values)
        elif do == "repeat":
            members.insert(draw(st.integers(0, len(members))), (members[at][0], draw(values)))
        elif do == "drop" and len(members) > 1:
            del members[at]
        else:
            members.insert(at, (draw(_names), draw(values)))
    space = draw(SPACE) if draw(st.integers(0, 9)) == 0 else b""
    return b"{" + (space + b",").join(b'"' + n + b'":' + v for n, v in members) + b"}"


@st.composite
def payloads(draw: st.DrawFn) -> bytes:
    """A notification, or what is left of one."""
    uuid = draw(st.sampled_from([b'"u1"', b'"u2"', b'"u3"']))
    number = draw(st.sampled_from([b'"1"', b"1", b'"2"']))
    info = draw(_members(_SOUND_INFO | {b"id": number}))
    kind = draw(st.sampled_from([b'"Created"', b'"Updated"', b'"Deleted"']))
    body = draw(_members({b"eventType": kind}, (b"phoneNumberInfo", info)))
    more = [(b"more", draw(values))] if draw(st.booleans()) else []
    whole = draw(_members(_SOUND | {b"uuid": uuid}, (b"body", body), *more))
    if draw(st.integers(0, 9)) == 0:
        at = draw(st.integers(0, len(whole)))
        until = draw(st.integers(at, min(at + 9, len(whole))))
        whole = whole[:at] + draw(st.binary(max_size=6)) + whole[until:]
    return whole


SOUND = (
    b"{"
    + b",".join(b'"' + name + b'":' + value for name, value in _SOUND.items())
    + b',"body":{"eventType":"Created","phoneNumberInfo":{"id":"1"}}}'
)
"""One that nothing is wrong with."""
