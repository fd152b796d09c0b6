"""
Anchors: heads that were noted where nobody who rewrites the log can reach them.

Pure. The chain proves that a log is whole as far as its head says. That the head is still the one
it was, only somebody who wrote it down elsewhere can say.
"""

from __future__ import annotations

from typing import Annotated, NamedTuple

import msgspec

from inventory.errors import InventoryError


class InvalidAnchors(InventoryError):
    """What should hold heads does not."""

    def __init__(self, detail: str) -> None:
        super().__init__(f"expected heads as `inventory event head` writes them, {detail}")


class Anchor(NamedTuple):
    """A head that an account is known to have had."""

    account_id: str
    position: int
    head_hash: bytes


class _Line(msgspec.Struct):
    account_id: str
    position: Annotated[int, msgspec.Meta(ge=0)]
    head_hash: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-fA-F]{64}\Z")]


_read_array = msgspec.json.Decoder(list[_Line]).decode
_read_line = msgspec.json.Decoder(_Line).decode_lines


def read(content: bytes) -> list[Anchor]:
    """
    The heads in *content*, a JSON array or one object a line; several of one account may be there.

    Raises:
        InvalidAnchors: It holds something else, or nothing.
    """
    try:
        lines = (_read_array if content.lstrip().startswith(b"[") else _read_line)(content)
    except (UnicodeDecodeError, msgspec.DecodeError) as error:
        raise InvalidAnchors(f"found something else: {error}") from None
    if not lines:
        raise InvalidAnchors("found none")
    return [Anchor(line.account_id, line.position, bytes.fromhex(line.head_hash)) for line in lines]
