"""
`make fuzz`: bytes that nobody thought of, led by which lines of ours they reach.

Run by hand, for `FUZZ` seconds: coverage makes it slow, and chance makes it no test. What it finds
is for an example in `test_payloads`, whose properties these are.
"""

from __future__ import annotations

import json
import sys
import tempfile
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

LATEST = datetime(2026, 11, 1, tzinfo=UTC)
LIMIT = 1 << 12


def main() -> None:
    """Fuzz for as many seconds as the first argument says."""
    atheris: Any = import_module("atheris")
    with atheris.instrument_imports(include=["inventory"]):
        framing = import_module("inventory.ingest.framing")
        notification = import_module("inventory.notification")

    def facts(blocks: list[bytes]) -> list[tuple[bytes, object]]:
        items = [item for some in framing.frames(blocks, limit=LIMIT) for item in some]
        return [(bytes(item), getattr(item, "sha256", None)) for item in items]

    def look_at(given: bytes) -> None:
        size = given[0] + 1 if given else 1
        text = given[1:]
        items = facts([text])
        assert facts([text[at : at + size] for at in range(0, len(text), size)]) == items
        for item, _ in [*items, (text, None)]:
            found = notification.parse(item, latest=LATEST, account_id="5")
            notification.shape(item)
            if isinstance(found, notification.Rejection):
                found.detail.encode()
                continue
            read = json.loads(item, parse_int=str, parse_float=str, parse_constant=_no_json)
            assert found.event_uuid == read["uuid"]
            assert found.phone_number_id == read["body"]["phoneNumberInfo"]["id"]
            assert found.payload.encode() == item
            assert notification.same_content(found.payload, found.payload + " ")

    with tempfile.TemporaryDirectory() as corpus:
        _sow(corpus)
        seconds = sys.argv[1] if len(sys.argv) > 1 else "60"
        options = [f"-max_total_time={seconds}", "-max_len=4096", "-timeout=10", corpus]
        atheris.Setup([sys.argv[0], *options], look_at)
        atheris.Fuzz()


def _sow(directory: str) -> None:
    """What to begin with: small files that are hostile already, and one that is not."""
    from pathlib import Path

    from tests.hostile import files
    from tests.hostile.payloads import SOUND

    seeds = [SOUND, *(small.content for small in files.SMALL.values())]
    for serial, content in enumerate(seeds):
        (Path(directory) / str(serial)).write_bytes(b"\x20" + content[:4000])


def _no_json(constant: str) -> None:
    raise AssertionError(constant)


if __name__ == "__main__":
    main()
