"""Writing an archive: the oldest sealed events of an account, as they are."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from psycopg import Connection
from psycopg.rows import class_row

from inventory.archive import parquet
from inventory.archive.directory import MANIFEST, created, described
from inventory.archive.manifest import FORMAT, File, Manifest, encoded
from inventory.errors import InventoryError
from inventory.event_log import genesis
from inventory.verification import snapshot
from inventory.verification.chain import Chain, Head
from inventory.verification.difference import Difference

# From behind what is detached already, up to the last seal that is wholly old enough.
RANGE = """
SELECT
    coalesce(archived.last_position, 0) + 1 AS first_position,
    before.hash AS previous_hash,
    before.sealed_at AS previous_at,
    seal.last_position, seal.hash AS head_hash, seal.sealed_at AS recorded_until
FROM (
    SELECT max(last_position) AS last_position
    FROM inventory.archive
    WHERE account_id = %(account_id)s
) AS archived
LEFT JOIN inventory.seal AS before
  ON before.account_id = %(account_id)s
 AND before.last_position = archived.last_position
CROSS JOIN LATERAL (
    SELECT *
    FROM inventory.seal
    WHERE seal.account_id = %(account_id)s
      AND seal.last_position > coalesce(archived.last_position, 0)
      AND (%(through)s::bigint IS NULL OR seal.last_position <= %(through)s)
      AND (%(before)s::timestamptz IS NULL OR seal.sealed_at < %(before)s)
    ORDER BY seal.last_position DESC
    LIMIT 1
) AS seal
"""

FILE_OF = 50_000
"""Events a file: as many as are in memory at a time."""


class NothingToArchive(InventoryError):
    """No sealed range is that old."""

    def __init__(self, account_id: str) -> None:
        super().__init__(
            f"expected events of account {account_id} that are that old and not archived yet, "
            "found none under a seal of their own"
        )


class Altered(InventoryError):
    """What was to be archived does not verify."""

    def __init__(self, difference: Difference) -> None:
        super().__init__(
            f"expected a log that verifies, found {difference.what} at {difference.position} of "
            f"account {difference.account_id} altered; `inventory verify` says all"
        )


class _Range(NamedTuple):
    first_position: int
    previous_hash: bytes | None
    previous_at: datetime | None
    last_position: int
    head_hash: bytes
    recorded_until: datetime


def export(
    connection: Connection,
    account_id: str,
    directory: Path,
    *,
    through: int | None = None,
    before: datetime | None = None,
    read: snapshot.Read = lambda _: None,
) -> Manifest:
    """
    Write the account's oldest events, that are in no archive, to a new *directory*.

    Up to position *through*, or recorded *before* a time, and in both cases to the end of a seal.
    The log is verified as it is read, in one snapshot; what does not verify is not archived.
    Nothing is removed. Assumes that no transaction is open.

    Raises:
        NothingToArchive: No seal ends before that.
        Altered: The range does not verify.
        NotWritten: The directory is there, or cannot be made.
        ParquetMissing: Parquet cannot be written here.
    """
    parquet.require()
    with snapshot.snapshot(connection), created(directory) as part:
        found = _range(connection, account_id, through, before)
        seals = list(
            snapshot.seals(
                connection, account_id, first=found.first_position, last=found.last_position
            )
        )
        previous_hash = found.previous_hash or genesis(account_id)
        begins = Head(found.first_position - 1, previous_hash, found.previous_at)
        chain = Chain(account_id, iter(seals), begins=begins)
        writer = _Files(part, read)
        for entry in snapshot.entries(
            connection,
            account_id,
            lambda _: None,
            first=found.first_position,
            last=found.last_position,
        ):
            _demand(chain.take(entry))
            writer.add(parquet.of_entry(entry), entry.said[3])
        writer.flush()
        _demand(chain.finish(Head(found.last_position, found.head_hash, found.recorded_until)))
        path = part / "seals.parquet"
        parquet.write(path, parquet.SEALS, seals)
        assert writer.occurred_until is not None  # noqa: S101 - a seal is over one event at least
        manifest = Manifest(
            format=FORMAT,
            account_id=account_id,
            first_position=found.first_position,
            last_position=found.last_position,
            events=writer.events,
            seals=len(seals),
            previous_hash=previous_hash.hex(),
            head_hash=found.head_hash.hex(),
            recorded_until=found.recorded_until,
            occurred_until=writer.occurred_until,
            exported_at=datetime.now(UTC),
            files=(*writer.files, described(path, "seals", len(seals))),
        )
        (part / MANIFEST).write_bytes(encoded(manifest))
    return manifest


def _range(
    connection: Connection, account_id: str, through: int | None, before: datetime | None
) -> _Range:
    wanted = {"account_id": account_id, "through": through, "before": before}
    found = connection.cursor(row_factory=class_row(_Range)).execute(RANGE, wanted).fetchone()
    if found is None:
        raise NothingToArchive(account_id)
    return found


def _demand(differences: list[Difference]) -> None:
    if differences:
        raise Altered(differences[0])


class _Files:
    """Events on their way into files, so many at a time."""

    def __init__(self, directory: Path, read: Callable[[int], None]) -> None:
        self.files: list[File] = []
        self.events = 0
        self.occurred_until: datetime | None = None
        self._directory, self._read = directory, read
        self._rows: list[parquet.Row] = []

    def add(self, row: parquet.Row, occurred_at: datetime) -> None:
        self._rows.append(row)
        if self.occurred_until is None or occurred_at > self.occurred_until:
            self.occurred_until = occurred_at
        if len(self._rows) == FILE_OF:
            self.flush()

    def flush(self) -> None:
        if not self._rows:
            return
        path = self._directory / f"events-{self._rows[0][0]:012d}.parquet"
        parquet.write(path, parquet.EVENTS, self._rows)
        self.files.append(described(path, "events", len(self._rows)))
        self.events += len(self._rows)
        self._read(len(self._rows))
        self._rows = []
