"""Heads that were noted, read again."""

from __future__ import annotations

import json

import pytest

from inventory.verification import Anchor, InvalidAnchors, read_anchors

LINE = {
    "account_id": "37439510",
    "position": 7,
    "head_hash": "AB" * 32,
    "at": "2026-03-01T00:00:00Z",
}


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(LINE),
        json.dumps([LINE]),
        f"\n {json.dumps([LINE], indent=2)}\n",
        json.dumps(LINE) + "\r\n\n",
    ],
)
def test_heads_are_read_from_json_and_from_lines(content: str) -> None:
    assert read_anchors(content.encode()) == [Anchor("37439510", 7, bytes([0xAB] * 32))]


def test_heads_of_several_days_may_stand_in_one_file() -> None:
    content = "\n".join(json.dumps(LINE | {"position": at}) for at in (7, 9))
    assert [anchor.position for anchor in read_anchors(content.encode())] == [7, 9]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"\xff",
        b"account_id,position,head_hash",
        json.dumps(LINE | {"head_hash": "AB" * 31}).encode(),
        json.dumps(LINE | {"head_hash": "AB" * 32 + "\n"}).encode(),
        json.dumps(LINE | {"position": -1}).encode(),
        json.dumps(LINE | {"position": "7"}).encode(),
        json.dumps({"account_id": "37439510"}).encode(),
    ],
)
def test_anything_else_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidAnchors, match="as `inventory event head` writes them, found"):
        read_anchors(content)
