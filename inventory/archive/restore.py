"""Putting an archive's events back into the table: then everything can be asked again."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from psycopg import Connection

from inventory import event_log
from inventory.archive import directory as directories
from inventory.archive.examination import Examined, examine
from inventory.archive.staging import clear, is_recorded, stage
from inventory.errors import InventoryError

PUT_BACK = """
INSERT INTO inventory.event
SELECT archived.*
FROM pg_temp.archived
WHERE NOT EXISTS (
    SELECT
    FROM inventory.event
    WHERE event.account_id = archived.account_id
      AND event.position = archived.position
)
"""

FORGET = """
DELETE FROM inventory.archive
WHERE account_id = %(account_id)s
  AND last_position = %(last)s
"""

LOWER_FLOOR = """
UPDATE inventory.account
SET archived_until = (
    SELECT max(occurred_until)
    FROM inventory.archive
    WHERE account_id = %(account_id)s
)
WHERE account_id = %(account_id)s
"""


class NotDetached(InventoryError):
    """There is nothing to put back from this archive; nothing was written."""


class Restored(NamedTuple):
    """What was put back."""

    account_id: str
    first_position: int
    last_position: int
    restored: int


def restore(connection: Connection, directory: Path) -> Restored:
    """
    Put the events of the archive at *directory* back, as they were, in one transaction.

    Then what is older can be appended again, and what needs the whole log can be asked, as far as
    no other archive is detached. The archive stays where it is.

    Assumes a connection in autocommit mode with the rights of the tables' owner.

    Raises:
        NotDetached: The archive is not one that was detached, or not as it was then.
        InvalidArchive: There is no archive.
    """
    for difference in examine(directory, Examined()):
        raise NotDetached(
            f"expected an archive that verifies, found {difference.what} altered in {directory}; "
            "nothing was written"
        )
    manifest, manifest_sha256 = directories.manifest_of(directory)
    if not is_recorded(connection, manifest, manifest_sha256):
        raise NotDetached(
            f"expected an archive that was detached, found none of events "
            f"{manifest.first_position} to {manifest.last_position} of account "
            f"{manifest.account_id} with this manifest; nothing was written"
        )
    clear(connection)
    stage(connection, directory)
    wanted = {"account_id": manifest.account_id, "last": manifest.last_position}
    with connection.transaction():
        restored = connection.execute(PUT_BACK).rowcount
        event_log.lock(connection, manifest.account_id)
        connection.execute(FORGET, wanted)
        connection.execute(LOWER_FLOOR, wanted)
    return Restored(manifest.account_id, manifest.first_position, manifest.last_position, restored)
