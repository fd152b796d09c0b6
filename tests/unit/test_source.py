"""Reading files: plain or gzipped, whole or broken off."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from inventory.ingest import Source, UnreadableSource

CONTENT = b'{"a": 1}\n' * 300_000


def read(path: Path) -> bytes:
    with Source(str(path)) as source:
        return b"".join(source.blocks())


def test_a_plain_file_is_itself(tmp_path: Path) -> None:
    path = tmp_path / "plain.ndjson"
    path.write_bytes(CONTENT)
    assert read(path) == CONTENT


def test_gzip_is_known_by_its_bytes_whatever_it_is_called(tmp_path: Path) -> None:
    path = tmp_path / "history.json"
    path.write_bytes(gzip.compress(CONTENT))
    assert read(path) == CONTENT


def test_gzip_may_hold_several_members(tmp_path: Path) -> None:
    path = tmp_path / "history.gz"
    path.write_bytes(gzip.compress(CONTENT[:900]) + gzip.compress(CONTENT[900:]))
    assert read(path) == CONTENT


def test_progress_counts_the_bytes_on_disk(tmp_path: Path) -> None:
    path = tmp_path / "history.gz"
    path.write_bytes(gzip.compress(CONTENT))
    with Source(str(path)) as source:
        for _ in source.blocks():
            pass
        assert source.read_so_far == source.size == path.stat().st_size


@pytest.mark.parametrize("damage", ["cut off", "garbled"])
def test_what_comes_before_damage_is_handed_out(tmp_path: Path, damage: str) -> None:
    whole = gzip.compress(CONTENT, compresslevel=0)
    half = len(whole) // 2
    broken = whole[:half] if damage == "cut off" else whole[:half] + b"\xff" * 1000 + whole[half:]
    path = tmp_path / "broken.gz"
    path.write_bytes(broken)
    blocks = []
    with Source(str(path)) as source, pytest.raises(UnreadableSource, match="gzip"):
        for block in source.blocks():
            blocks.append(block)  # noqa: PERF402 - it raises
    assert len(b"".join(blocks)) > 100_000


def test_a_mountain_in_a_small_file_comes_in_small_blocks(tmp_path: Path) -> None:
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(b"\0" * 100_000_000))
    with Source(str(path)) as source:
        assert max(map(len, source.blocks())) <= 1024 * 1024


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableSource, match=r"nowhere.json: No such file"):
        Source(str(tmp_path / "nowhere.json"))
    with pytest.raises(UnreadableSource, match="directory"):
        read(tmp_path)
