"""An archive's directory: made whole or not at all, and read file by file."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from inventory.archive import parquet
from inventory.archive.manifest import File, Manifest, decoded
from inventory.errors import InventoryError

MANIFEST = "manifest.json"


class InvalidArchive(InventoryError):
    """A directory is no archive."""

    def __init__(self, directory: Path, reason: str) -> None:
        super().__init__(
            f"expected an archive that `inventory archive export` wrote, got {directory}: {reason}"
        )


class NotWritten(InventoryError):
    """An archive could not be written."""

    def __init__(self, directory: Path, reason: str) -> None:
        super().__init__(f"expected to write an archive to {directory}, but: {reason}")


@contextmanager
def created(directory: Path) -> Iterator[Path]:
    """
    An empty directory to be filled, which is at *directory* when the context ends, or not at all.

    All that is in it is on the disk before it gets its name: after a crash there is an archive, or
    a `.part` that the next attempt clears away.

    Raises:
        NotWritten: There is something already, or it cannot be written.
    """
    directory = directory.resolve()
    part = directory.with_name(f".{directory.name}.part")
    try:
        if directory.exists():
            raise NotWritten(directory, "there is something already")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        try:
            yield part
            for path in part.iterdir():
                _sync(path)
            _sync(part)
            part.rename(directory)
            _sync(directory.parent)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    except OSError as error:
        raise NotWritten(directory, error.strerror or str(error)) from None


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def described(path: Path, holds: str, rows: int) -> File:
    """A file that was written, for the manifest."""
    return File(path.name, holds, rows, path.stat().st_size, digest(path).hex())


def digest(path: Path) -> bytes:
    """The SHA-256 of a file."""
    hashed = sha256()
    with path.open("rb") as file:
        while block := file.read(1024 * 1024):
            hashed.update(block)
    return hashed.digest()


def manifest_of(directory: Path) -> tuple[Manifest, bytes]:
    """
    The manifest in *directory*, and its SHA-256.

    Raises:
        InvalidArchive: There is none.
    """
    try:
        content = (directory / MANIFEST).read_bytes()
        return decoded(content), sha256(content).digest()
    except OSError as error:
        raise InvalidArchive(directory, f"{MANIFEST}: {error.strerror}") from None
    except ValueError as error:
        raise InvalidArchive(directory, f"{MANIFEST}: {error}") from None


def rows(directory: Path, manifest: Manifest, holds: str) -> Iterator[parquet.Row]:
    """The rows of all files that hold `events`, or `seals`, in the manifest's order."""
    columns = parquet.EVENTS if holds == "events" else parquet.SEALS
    for file in manifest.files:
        if file.holds == holds:
            yield from parquet.read(directory / file.name, columns)
