"""What notifications are read from: a file or standard input, compressed or not."""

from __future__ import annotations

import os
import stat
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from inventory.errors import InventoryError

BLOCK = 1 << 20
"""Bytes a block has at most."""

_MAGIC = b"\x1f\x8b"
_COMPRESSED_BLOCK = 1 << 16
_GZIP_ONLY = zlib.MAX_WBITS | 16


class UnreadableSource(InventoryError):
    """A source could not be opened, or not be read to its end: what is missing is not known."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"expected to read all of {name}, but {reason}")
        self.name, self.reason = name, reason


class Source:
    """
    An open file, or standard input if *path* is `-`, to be read once from here to its end.

    Gzip is recognised by its first two bytes, whatever the file is called.

    Raises:
        UnreadableSource: It cannot be opened.
    """

    name: str
    """*path* as given, or `stdin`."""
    size: int | None
    """Bytes on disk, compressed if the file is; None if it is no regular file."""
    read_so_far: int
    """Bytes read of `size`."""

    def __init__(self, path: str | Path) -> None:
        self._file: BinaryIO | None = None
        self.read_so_far = 0
        if str(path) == "-":
            self.name = "stdin"
            stream: BinaryIO = sys.stdin.buffer
        else:
            # A name that is not UTF-8 is none that PostgreSQL could hold.
            self.name = os.fsencode(path).decode(errors="backslashreplace")
            try:
                self._file = stream = Path(path).open("rb", buffering=0)  # noqa: SIM115 - see close
            except (OSError, ValueError) as error:
                raise UnreadableSource(self.name, _reason(error)) from error
        self.size = _size(stream)
        # A buffered reader's `read` waits for all it was asked for, which a pipe may never send.
        self._read_some: Callable[[int], bytes] = getattr(stream, "read1", stream.read)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file. Standard input stays open, for it is not ours."""
        if self._file is not None:
            self._file.close()

    def blocks(self, block_size: int = BLOCK) -> Iterator[bytes]:
        """
        The content, decompressed, in non-empty blocks of at most *block_size* bytes.

        A block is handed on as soon as it is there, however small. All that can be read comes out
        before an error is raised.

        Raises:
            UnreadableSource: It cannot be read on, or its compressed data is damaged or cut off.
        """
        block = self._read(block_size)
        if block == _MAGIC[:1]:
            # Not `+=` of a full block: *block_size* is what the caller can bear.
            block += self._read(max(block_size - 1, 1))
        if block.startswith(_MAGIC):
            yield from self._decompressed(block, block_size)
            return
        while block:
            yield block
            block = self._read(block_size)

    def _read(self, length: int) -> bytes:
        try:
            block = self._read_some(length)
        except (OSError, ValueError) as error:
            raise UnreadableSource(self.name, _reason(error)) from error
        self.read_so_far += len(block)
        return block

    def _decompressed(self, compressed: bytes, block_size: int) -> Iterator[bytes]:
        """The members' contents, one after the other; *compressed* is their beginning."""
        member = zlib.decompressobj(_GZIP_ONLY)
        under_way = False
        while True:
            if not under_way:
                compressed = compressed.lstrip(b"\0")  # padding of tapes, which gzip allows
            while compressed:
                under_way = True
                before = member.copy()
                try:
                    block = member.decompress(compressed, block_size)
                except zlib.error as error:
                    yield from _salvaged(before, compressed, block_size)
                    raise UnreadableSource(self.name, _damage(error)) from error
                if block:
                    yield block
                compressed = member.unconsumed_tail
                if member.eof:
                    compressed = member.unused_data.lstrip(b"\0")
                    member, under_way = zlib.decompressobj(_GZIP_ONLY), False
            compressed = self._read(_COMPRESSED_BLOCK)
            if not compressed:
                break
        if under_way:
            # What did not fit into the last block may still be inside zlib.
            while block := member.decompress(b"", block_size):
                yield block
            raise UnreadableSource(self.name, "its compressed data is cut off")


def _salvaged(member: zlib._Decompress, compressed: bytes, block_size: int) -> Iterator[bytes]:
    """
    What *member* can decompress before it fails.

    A call that fails returns nothing of what it had decompressed. Fed byte by byte, only the call
    with the damaged byte fails.
    """
    salvaged = bytearray()
    try:
        for byte in compressed:
            pending = bytes((byte,))
            while True:
                some = member.decompress(pending, block_size)
                salvaged += some
                pending = member.unconsumed_tail
                if len(some) < block_size:
                    break
            while len(salvaged) >= block_size:
                yield bytes(salvaged[:block_size])
                del salvaged[:block_size]
    except zlib.error:
        pass
    if salvaged:
        yield bytes(salvaged)


def _damage(error: zlib.error) -> str:
    return f"its compressed data is damaged ({error})"


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    if isinstance(error, IsADirectoryError):
        return "it is a directory"
    text = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return f"the system says: {text}"


def _size(stream: BinaryIO) -> int | None:
    try:
        status = os.fstat(stream.fileno())
    except OSError:  # not a file of the system's, such as a buffer in memory
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None
