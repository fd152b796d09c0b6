"""Verifying the log as it was: what is in the table and what was detached, together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from psycopg import Connection

from inventory import verification
from inventory.archive import directory as directories
from inventory.archive.examination import Examined, examine
from inventory.archive.staging import clear, is_recorded, stage
from inventory.errors import InventoryError
from inventory.verification import Anchor, Difference, Verified
from inventory.verification.snapshot import Read

DETACHED = """
SELECT account_id, first_position, last_position, directory
FROM inventory.archive
WHERE %(account_id)s::text IS NULL OR account_id = %(account_id)s
ORDER BY account_id, last_position
"""


class OfNoDetached(InventoryError):
    """An archive was not detached, or is not as it was then."""

    def __init__(self, directory: Path) -> None:
        super().__init__(
            f"expected an archive as it was when it was detached, found another in {directory}"
        )


class ArchiveNeeded(InventoryError):
    """Of what was detached, not every archive was given."""

    def __init__(self, account_id: str, first: int, last: int, directory: str) -> None:
        super().__init__(
            f"expected --archive for events {first} to {last} of account {account_id}, which are "
            f"archived in {directory}"
        )


def verify(
    connection: Connection,
    archives: Sequence[Path],
    verified: Verified,
    *,
    account: str | None = None,
    anchors: Sequence[Anchor] = (),
    read: Read = lambda _: None,
) -> Iterator[Difference]:
    """
    All that differs in the log, of which *archives* hold a part; without any, in what is here.

    Each archive is examined first; if one differs by itself, the log is not looked at. Assumes that
    no transaction is open.

    Raises:
        ArchiveNeeded: Another was detached.
        OfNoDetached: One was not detached, or is not as it was then.
    """
    if archives:
        clear(connection)
    altered = False
    staged = set()
    for directory in archives:
        manifest, manifest_sha256 = directories.manifest_of(directory)
        if not is_recorded(connection, manifest, manifest_sha256):
            raise OfNoDetached(directory)
        for difference in examine(directory, Examined()):
            altered = True
            yield difference
        if not altered:
            stage(connection, directory)
            staged.add((manifest.account_id, manifest.last_position))
    if altered:
        return
    if archives:
        for row in connection.execute(DETACHED, {"account_id": account}).fetchall():
            if (row[0], row[2]) not in staged:
                raise ArchiveNeeded(*row)
    connection.commit()
    yield from verification.verify(
        connection,
        verified,
        account=account,
        anchors=anchors,
        archives=bool(archives),
        read=read,
    )
