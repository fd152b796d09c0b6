"""An archive held against itself: its files, its columns, its chain. Needs nothing but it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from inventory.archive import directory as directories
from inventory.archive import parquet
from inventory.archive.manifest import File, Manifest
from inventory.event_log import genesis
from inventory.verification.chain import Chain, Head
from inventory.verification.difference import Difference, shown


@dataclass(slots=True)
class Examined:
    """How much was looked at so far."""

    events: int = 0
    seals: int = 0


def examine(
    directory: Path, examined: Examined, *, read: Callable[[int], None] = lambda _: None
) -> Iterator[Difference]:
    """
    All that differs in the archive at *directory*.

    Each file has the bytes that the manifest says; the positions are dense; the chain of seals,
    recomputed from the payloads, leads from the manifest's first hash to its last; every column
    says what a fresh reading of the payload says. That the manifest itself is the one that was
    written, only somebody who noted its hash can say: the database does when it is detached.

    Raises:
        InvalidArchive: There is no manifest to begin with.
        ParquetMissing: Parquet cannot be read here.
    """
    parquet.require()
    manifest, _ = directories.manifest_of(directory)
    differing = list(_files(directory, manifest))
    yield from differing
    if differing:
        return  # what is in other files than those that were written is nobody's word
    try:
        yield from _chain(directory, manifest, examined, read)
    except parquet.Unreadable as error:
        yield _of(manifest, "archive", "rows that can be read", str(error))


def _files(directory: Path, manifest: Manifest) -> Iterator[Difference]:
    for file in manifest.files:
        path = directory / file.name
        if not path.is_file():
            yield _of(manifest, file.name, f"{file.bytes} bytes", None)
        elif (found := directories.digest(path).hex()) != file.sha256:
            yield _of(manifest, f"{file.name}, SHA-256", file.sha256, found)


def _chain(
    directory: Path, manifest: Manifest, examined: Examined, read: Callable[[int], None]
) -> Iterator[Difference]:
    seals = map(parquet.seal_of, directories.rows(directory, manifest, "seals"))
    if (
        manifest.first_position == 1
        and manifest.previous_hash != genesis(manifest.account_id).hex()
    ):
        first = genesis(manifest.account_id)
        yield _of(manifest, "manifest.previous_hash", first, manifest.previous_hash)
    begins = Head(manifest.first_position - 1, bytes.fromhex(manifest.previous_hash), None)
    chain = Chain(manifest.account_id, seals, begins=begins)
    occurred_until: datetime | None = None
    for row in directories.rows(directory, manifest, "events"):
        entry = parquet.entry_of(row)
        yield from chain.take(entry)
        occurred_at = entry.said[3]
        if occurred_until is None or occurred_at > occurred_until:
            occurred_until = occurred_at
        examined.events += 1
        if examined.events % 1000 == 0:
            read(1000)
    ends = Head(manifest.last_position, bytes.fromhex(manifest.head_hash), manifest.recorded_until)
    for difference in chain.finish(ends):
        # What an account's row says of a whole log, the manifest says of its range.
        yield difference._replace(what=difference.what.replace("account.", "manifest."))
    examined.seals = chain.seals
    for name, expected, found in (
        ("events", examined.events, manifest.events),
        ("events", examined.events, _rows(manifest.files, "events")),
        ("seals", chain.seals, manifest.seals),
        ("seals", chain.seals, _rows(manifest.files, "seals")),
        ("occurred_until", occurred_until, manifest.occurred_until),
    ):
        if expected != found:
            yield _of(manifest, f"manifest.{name}", expected, found)


def _rows(files: tuple[File, ...], holds: str) -> int:
    return sum(file.rows for file in files if file.holds == holds)


def _of(manifest: Manifest, what: str, expected: Any, found: Any) -> Difference:
    return Difference(manifest.account_id, None, None, what, shown(expected), shown(found))
