"""A manifest: what an archive holds, and the hashes that its files must have."""

from __future__ import annotations

from datetime import datetime

import msgspec

FORMAT = "inventory archive 1"


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file beside the manifest."""

    name: str
    holds: str
    """`events` or `seals`."""
    rows: int
    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is in an archive: one account's events from one seal's first to another's last."""

    format: str
    account_id: str
    first_position: int
    last_position: int
    events: int
    seals: int
    previous_hash: str
    """Hash of the seal before the range, hexadecimal; of an empty log before the first."""
    head_hash: str
    """Hash of the range's last seal, hexadecimal: with what is before it, the head of then."""
    recorded_until: datetime
    """When the last of them was recorded."""
    occurred_until: datetime
    """The latest time at which any of them occurred."""
    exported_at: datetime
    files: tuple[File, ...]


_decode = msgspec.json.Decoder(Manifest).decode


def encoded(manifest: Manifest) -> bytes:
    """*manifest* as it is written: JSON that people can read."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"


def decoded(content: bytes) -> Manifest:
    """
    The manifest in *content*.

    Raises:
        ValueError: It is none; the message says why.
    """
    try:
        manifest = _decode(content)
    except (UnicodeDecodeError, msgspec.DecodeError) as error:
        raise ValueError(str(error)) from None
    if manifest.format != FORMAT:
        raise ValueError(f"its format is {manifest.format!r}, not {FORMAT!r}")
    for file in manifest.files:
        if "/" in file.name or "\\" in file.name or file.name.startswith("."):
            raise ValueError(f"it names {file.name!r}, which is no file beside it")
    return manifest
