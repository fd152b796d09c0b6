"""Files that somebody could hand to us who means harm, made when they are needed."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import NamedTuple

MIB = 1 << 20
_serial = count(1)


def notification(**info: object) -> bytes:
    """A sound one of its own."""
    serial = next(_serial)
    return json.dumps(
        {
            "uuid": f"sound-{serial}",
            "event": "/restapi/v1.0/account/812345/phone-number",
            "timestamp": "2026-03-01T00:00:00.000Z",
            "body": {
                "eventType": "Created",
                "phoneNumberInfo": {"id": str(serial), "usageType": "ContactCenterNumber"} | info,
            },
        },
        ensure_ascii=False,
    ).encode()


def _with(field: str, value: bytes) -> bytes:
    """A notification whose *field* is spelled so."""
    sound = json.loads(notification())
    place = sound
    *outer, name = field.split(".")
    for each in outer:
        place = place[each]
    place[name] = "PLACE"
    return json.dumps(sound).encode().replace(b'"PLACE"', value)


class Small(NamedTuple):
    """A file, and how many of its items are events and how many are not."""

    content: bytes
    appended: int = 0
    quarantined: int = 0


def _lines(*lines: bytes, end: bytes = b"\n") -> bytes:
    return b"".join(line + end for line in lines)


def _refused(*payloads: bytes) -> Small:
    """NDJSON of what cannot be an event, between sound ones."""
    between = [each for payload in payloads for each in (payload, notification())]
    return Small(_lines(notification(), *between), len(payloads) + 1, len(payloads))


def _taken(*payloads: bytes) -> Small:
    return Small(_lines(*payloads), len(payloads))


def _digits(zero: int) -> bytes:
    """`"12"` in the digits that begin with this one."""
    return f'"{chr(zero + 1)}{chr(zero + 2)}"'.encode()


SMALL = {
    "empty": Small(b""),
    "whitespace": Small(b" \t\r\n" * 1000),
    "a mark alone": Small(b"\xef\xbb\xbf"),
    "UTF-8 with a mark": Small(b"\xef\xbb\xbf" + _lines(notification()), 1),
    # Neither is text to us: kept as it came. A line end is one byte of two.
    "UTF-16 little": Small(notification().decode().encode("utf-16"), 0, 1),
    "UTF-16 big": Small(b"\xfe\xff" + notification().decode().encode("utf-16-be"), 0, 1),
    "UTF-32": Small(notification().decode().encode("utf-32"), 0, 1),
    "invalid UTF-8": _refused(_with("uuid", b'"\xff\xfe"'), _with("more", b'"\x80"')),
    "overlong UTF-8": _refused(_with("uuid", b'"\xc0\x80"'), _with("uuid", b'"\xe0\x80\xaf"')),
    "surrogates as bytes": _refused(_with("more", b'"\xed\xa0\x80"')),
    "surrogates as escapes": _refused(
        _with("more", b'"\\ud800"'),
        _with("uuid", b'"\\udc00\\ud800"'),
        _with("more", b'{"\\udfff":1}'),
    ),
    "beyond Unicode": _refused(_with("more", b'"\xf4\x90\x80\x80"')),
    "NUL as bytes": _refused(_with("uuid", b'"a\x00b"'), b"\x00", b"\x00" * 1000),
    "NUL as escapes": _refused(
        *(
            _with(field, b'"a\\u0000b"')
            for field in ("uuid", "body.phoneNumberInfo.location", "subscriptionId", "ownerId")
        )
    ),
    "NUL where nobody reads": _taken(_with("more", b'"\\u0000"')),
    "names that come twice": Small(
        _lines(
            _with("more", b'1,"more":2'),
            _with("timestamp", b'5,"timestamp":"2026-01-01T00:00:00Z"'),
        ),
        *(1, 1),
    ),
    "huge numbers where nobody reads": _taken(
        _with("more", b"9" * 100_000), _with("more", b"-1e999999999"), _with("more", b"1E-99999999")
    ),
    "huge numbers": _refused(
        *(
            _with(field, number)
            for field in ("body.phoneNumberInfo.id", "ownerId", "uuid")
            for number in (b"9" * 10_000, b"1e999999999", b"9" * 4_301)
        )
    ),
    "ids of ten thousand digits": _refused(
        _with("body.phoneNumberInfo.id", b'"' + b"1" * 10_000 + b'"'),
        _with("uuid", b'"' + b"1" * 10_000 + b'"'),
        _with("event", b'"/restapi/v1.0/account/' + b"1" * 10_000 + b'/phone-number"'),
    ),
    "no numbers": _refused(
        *(_with("more", number) for number in (b"NaN", b"Infinity", b"-Infinity", b"01", b"0x1"))
    ),
    "digits of others": _refused(
        # Arabic-Indic, fullwidth and mathematical ones, superscripts, a numeral, circled
        *(
            _with("body.phoneNumberInfo.id", digits)
            for digits in (
                *(_digits(zero) for zero in (0x660, 0x966, 0xFF10, 0x1D7CE)),
                *('"\u00b2"'.encode(), '"\u2167"'.encode(), '"\u2460"'.encode(), b'"1\xc2\xa0"'),
            )
        )
    ),
    "times that are none": _refused(
        *(
            _with("timestamp", f'"{time}"'.encode())
            for time in (
                *("0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "294276-12-31T00:00:00Z"),
                *("2016-12-31T23:59:60Z", "2026-01-01T00:00:00+99:99", "2026-02-29T00:00:00Z"),
                *("0001-01-01T00:00:00+23:59", "-0044-03-15T00:00:00Z", "infinity", "now", ""),
                *("\u0662\u0660\u0662\u0666-01-01T00:00:00Z", "2026-01-01T00:00:00Z" * 1000),
            )
        )
    ),
    "times at the edge": _taken(
        _with("timestamp", b'"0001-01-01T00:00:00Z"'),
        _with("timestamp", b'"0001-01-01T00:00:00-23:59"'),
    ),
    "text that turns around": _taken(
        notification(location="\u202egnihsarg\u202c", phoneNumber="\u202e0002025551+"),
        notification(location="\u2028\u2029\x85\x0b\x0c", status="\x1b[31mred\x1b[0m\r"),
        notification(location="=cmd|'/C calc'!A0", usageType="<script>alert(1)</script>"),
    ),
    "line ends of all kinds": Small(
        b"\r\n\r\n".join([notification(), notification()])
        + b"\r\r"
        + notification()
        + b"\n \n\t\n"
        + notification(),
        4,
    ),
    # A line separator of Unicode's is no line end to JSON: the rest of the line is of the item.
    "line ends that are none": Small(b"\xe2\x80\xa8".join([notification(), notification()]), 0, 1),
    "an array that does not end": Small(b"[" + notification() + b"," + notification() + b",", 2),
    "arrays of arrays": Small(b"[[" + notification() + b"],[[1]],[]]", 0, 3),
    "nested without end": Small(b"[" * 100_000, 0, 1),
    "text": Small(b"".join(b"line %d\r\n" % n for n in range(500)), 0, 500),
    "gzip in gzip": Small(gzip.compress(gzip.compress(notification())), 0, 1),
    "gzip of nothing": Small(gzip.compress(b"") * 100),
    "members": Small(b"".join(gzip.compress(_lines(notification())) for _ in range(3)), 3),
}

DAMAGED = {
    "cut off": gzip.compress(_lines(*(notification() for _ in range(3))))[:-9],
    "of garbage": b"\x1f\x8b" + bytes(range(256)),
}
"""Gzip that cannot be read to its end."""


def _repeated(byte: bytes, mib: int) -> Iterator[bytes]:
    return (byte * MIB for _ in range(mib))


def _long_string() -> Iterator[bytes]:
    yield _with("body.phoneNumberInfo.location", b'"').removesuffix(b"}}}")
    yield from _repeated(b"x", 100)
    yield b'"}}}\n' + notification()


def _large_items() -> Iterator[bytes]:
    """A hundred, each just within the limit, and as many texts that come once."""
    for _ in range(100):
        yield notification(location="x" * (MIB - 600)) + b"\n"


def _too_large_items() -> Iterator[bytes]:
    for serial in range(200):
        yield b"%d " % serial + b"x" * MIB + b"\n"


class Large(NamedTuple):
    """What is large when it is unpacked, and what becomes of it."""

    blocks: Iterator[bytes]
    appended: int
    quarantined: int


def large() -> dict[str, Large]:
    """A hundred megabytes each and more, but for the brackets."""
    return {
        "a string of 100 MiB": Large(_long_string(), 1, 1),
        "a line of 100 MiB": Large(_repeated(b"x", 100), 0, 1),
        "spaces": Large(_repeated(b" ", 100), 0, 0),
        "a million brackets": Large(iter([b"[" * 1_000_000]), 0, 1),
        "a million objects in one another": Large(iter([b'{"a":' * 1_000_000]), 0, 1),
        "items just within the limit": Large(_large_items(), 100, 0),
        "items just beyond the limit": Large(_too_large_items(), 0, 200),
    }


def packed(directory: Path, content: Large) -> Path:
    """It as gzip: some of it packs a thousand to one."""
    packer = zlib.compressobj(1, wbits=31)
    path = directory / "large.gz"
    with path.open("wb") as file:
        for block in content.blocks:
            file.write(packer.compress(block))
        file.write(packer.flush())
    return path
