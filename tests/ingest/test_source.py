"""Sources: all that can be read comes out, and what cannot be read has a name."""

from __future__ import annotations

import gzip
import io
import os
import random
import subprocess
import sys
import threading
import time
import tracemalloc
import zlib
from pathlib import Path

import pytest

from inventory.errors import InventoryError
from inventory.ingest.source import Source, UnreadableSource

NOISE = random.Random(0)
TEXT = b"".join(b'{"uuid":"%d","noise":"%x"}\n' % (n, NOISE.getrandbits(64)) for n in range(20_000))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "notifications.json"


def read(path: Path | str, block_size: int = 1 << 20) -> bytes:
    with Source(path) as source:
        return b"".join(source.blocks(block_size))


def read_until_error(path: Path, block_size: int = 1 << 20) -> tuple[bytes, UnreadableSource]:
    blocks = []
    # Several statements: what comes before the error is what is tested.
    with Source(path) as source, pytest.raises(UnreadableSource) as caught:
        for block in source.blocks(block_size):
            assert 0 < len(block) <= block_size
            blocks.append(block)
    return b"".join(blocks), caught.value


@pytest.mark.parametrize("text", [b"", b"\x1f", b"{}", TEXT])
@pytest.mark.parametrize("block_size", [1, 2, 1_000, 1 << 20])
def test_a_file_comes_out_as_it_is(path: Path, text: bytes, block_size: int) -> None:
    text = text[: block_size * 1_000]
    path.write_bytes(text)

    with Source(path) as source:
        blocks = list(source.blocks(block_size))

        assert b"".join(blocks) == text
        assert all(0 < len(block) <= block_size for block in blocks)
        assert (source.name, source.size, source.read_so_far) == (str(path), len(text), len(text))


@pytest.mark.parametrize("block_size", [1, 100, 1 << 20])
def test_gzip_is_recognised_by_content_and_progress_counts_its_own_bytes(
    path: Path, block_size: int
) -> None:
    compressed = gzip.compress(TEXT[: block_size * 1_000])
    path.write_bytes(compressed)

    with Source(path) as source:
        blocks = list(source.blocks(block_size))

        assert b"".join(blocks) == TEXT[: block_size * 1_000]
        assert all(0 < len(block) <= block_size for block in blocks)
        assert source.size == source.read_so_far == len(compressed)


def test_a_file_called_gz_that_is_none_is_read_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "plain.json.gz").write_bytes(b"{}")

    assert read(tmp_path / "plain.json.gz") == b"{}"


def test_members_of_a_gzip_file_are_one_text(path: Path) -> None:
    members = [gzip.compress(part) for part in (TEXT[:99_999], b"", TEXT[99_999:])]
    path.write_bytes(b"".join(members) + b"\0" * 512)

    assert read(path) == TEXT


@pytest.mark.parametrize("kept", [2, 9, 10, 11, 1_000, 70_000, -9, -8, -1])
def test_a_gzip_cut_off_gives_what_is_there_and_then_the_error(path: Path, kept: int) -> None:
    compressed = gzip.compress(TEXT)
    path.write_bytes(compressed[:kept])
    there = zlib.decompressobj(31).decompress(compressed[:kept])

    text, error = read_until_error(path)

    assert text == there
    assert (error.name, error.reason) == (str(path), "its compressed data is cut off")
    assert isinstance(error, InventoryError)


def test_a_second_member_cut_off_keeps_the_first(path: Path) -> None:
    path.write_bytes(gzip.compress(b"first") + gzip.compress(b"second")[:5])

    assert read_until_error(path)[0] == b"first"


@pytest.mark.parametrize("block_size", [10, 4_096, 1 << 20])
def test_a_wrong_checksum_is_told_after_all_of_the_text(path: Path, block_size: int) -> None:
    compressed = bytearray(gzip.compress(TEXT[:100_000]))
    compressed[-5] ^= 1
    path.write_bytes(compressed)

    text, error = read_until_error(path, block_size)

    assert text == TEXT[:100_000]
    assert "damaged" in error.reason


def test_damage_in_the_middle_gives_all_before_it(path: Path) -> None:
    whole = random.Random(0).randbytes(50_000).hex().encode()
    compressed = bytearray(gzip.compress(whole))
    for at in range(30_000, 30_040):
        compressed[at] = 0xFF
    path.write_bytes(compressed)
    before = zlib.decompressobj(31).decompress(bytes(compressed[:30_000]))

    text, _ = read_until_error(path)

    assert before
    assert text.startswith(before)


def test_what_follows_a_gzip_member_and_is_none_is_an_error(path: Path) -> None:
    path.write_bytes(gzip.compress(TEXT) + b"{}")

    text, error = read_until_error(path)

    assert text == TEXT
    assert "incorrect header check" in str(error)


def test_a_gzip_bomb_stays_small_in_memory(path: Path) -> None:
    bomb = zlib.compressobj(9, zlib.DEFLATED, 31)
    zeros = b" " * (1 << 20)
    with path.open("wb") as file:
        for _ in range(100):
            file.write(bomb.compress(zeros))
        file.write(bomb.flush())

    tracemalloc.start()
    try:
        with Source(path) as source:
            length = sum(map(len, source.blocks(1 << 16)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert length == 100 << 20
    assert peak < 1_000_000


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableSource) as caught:
        Source(tmp_path / "missing.json")

    assert str(caught.value) == (
        f"expected to read all of {tmp_path / 'missing.json'}, but there is no such file"
    )


def test_a_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableSource, match="but it is a directory"):
        Source(tmp_path)


def test_a_name_that_no_file_can_have_is_unreadable() -> None:
    with pytest.raises(UnreadableSource, match="null byte"):
        Source("a\0b")


def test_an_error_of_the_disk_comes_after_what_was_read(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_bytes(b"x" * 10)
    with Source(path) as source:
        sound = source._read_some

        def failing(length: int) -> bytes:
            if source.read_so_far:
                raise OSError(5, "Input/output error")
            return sound(length)

        monkeypatch.setattr(source, "_read_some", failing)
        blocks = source.blocks(4)

        assert next(blocks) == b"xxxx"
        with pytest.raises(UnreadableSource, match="Input/output error"):
            next(blocks)


def test_standard_input_is_read_and_stays_open(monkeypatch: pytest.MonkeyPatch) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(gzip.compress(TEXT)))
    monkeypatch.setattr("sys.stdin", stdin)

    with Source("-") as source:
        assert b"".join(source.blocks()) == TEXT
        assert (source.name, source.size) == ("stdin", None)

    assert not stdin.closed


def test_a_block_from_a_pipe_does_not_wait_for_the_next() -> None:
    program = (
        "from inventory.ingest.source import Source\n"
        "for block in Source('-').blocks(): print(len(block), flush=True)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as reader:
        assert reader.stdin is not None
        assert reader.stdout is not None
        for length in (3, 5):
            reader.stdin.write(b"x" * length)
            reader.stdin.flush()
            assert reader.stdout.readline() == b"%d\n" % length
        reader.stdin.close()
        assert reader.stdout.read() == b""


def test_a_named_pipe_has_no_size(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    def write() -> None:
        with pipe.open("wb") as end:
            end.write(b"\x1f")  # the magic number arrives in two halves
            end.flush()
            time.sleep(0.05)
            end.write(gzip.compress(TEXT)[1:])

    writer = threading.Thread(target=write)
    writer.start()
    with Source(pipe) as source:
        assert b"".join(source.blocks()) == TEXT
        assert source.size is None
    writer.join()


def test_a_name_that_is_not_utf_8_is_named_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.ndjson")
    path.write_bytes(TEXT)
    with Source(path) as source:
        assert source.name == f"{tmp_path}/caf\\xe9.ndjson"
        assert b"".join(source.blocks()) == TEXT
