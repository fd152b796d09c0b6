"""
Removing from the table what an archive holds, as far as no fold of later events needs it.

Events that occurred after everything archived fold as before: of each number that is in, what its
standing version was made of stays, and of each number its latest event and its latest observation.
So does what says when we were last notified, and which finding was announced late. What occurred
before then is not appended any more, since nobody could tell what follows from it: it goes into
quarantine, and from there into the log once the archive is restored.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from psycopg import Connection

from inventory import event_log, projector
from inventory.archive import directory as directories
from inventory.archive.examination import Examined, examine
from inventory.archive.manifest import Manifest
from inventory.archive.staging import clear, is_recorded, stage
from inventory.errors import InventoryError

# Byte for byte: a row as text holds its JSON as it arrived.
DIFFERING = """
SELECT position
FROM pg_temp.archived
{side} JOIN (
    SELECT *
    FROM inventory.event
    WHERE account_id = %(account_id)s
      AND position BETWEEN %(first)s AND %(last)s
) AS event USING (account_id, position)
WHERE archived::text IS DISTINCT FROM event::text
ORDER BY position
LIMIT 1
"""

SEALED = """
SELECT
FROM inventory.seal
WHERE account_id = %(account_id)s
  AND last_position = %(last)s
  AND encode(hash, 'hex') = %(head_hash)s
"""

OVERLAPPING = """
SELECT first_position, last_position
FROM inventory.archive
WHERE account_id = %(account_id)s
  AND first_position <= %(last)s
  AND last_position >= %(first)s
"""

UNFOLDED = """
SELECT account.position - coalesce(checkpoint.position, 0)
FROM inventory.account
LEFT JOIN inventory.projection_checkpoint AS checkpoint USING (account_id)
WHERE account_id = %(account_id)s
"""

HOLD_PROJECTOR = """
SELECT
FROM inventory.projection_checkpoint
WHERE account_id = %(account_id)s
FOR UPDATE
"""

# With the archive's row in place, or before it is: as old as the youngest of all archives.
_KEPT = """
WITH floor AS (
    SELECT greatest(archived_until, %(occurred_until)s) AS until
    FROM inventory.account
    WHERE account_id = %(account_id)s
),
number AS (
    SELECT DISTINCT phone_number_id
    FROM inventory.event
    WHERE account_id = %(account_id)s
      AND position BETWEEN %(first)s AND %(last)s
),
kept AS (
    SELECT latest.position
    FROM number
    CROSS JOIN LATERAL (
        SELECT position
        FROM inventory.event
        WHERE event.account_id = %(account_id)s
          AND event.phone_number_id = number.phone_number_id
          AND event.position BETWEEN %(first)s AND %(last)s
        ORDER BY event.occurred_at DESC, event.position DESC
        LIMIT 1
    ) AS latest

    UNION ALL

    SELECT look.position
    FROM number
    CROSS JOIN LATERAL (
        SELECT position
        FROM inventory.event
        WHERE event.account_id = %(account_id)s
          AND event.phone_number_id = number.phone_number_id
          AND event.position BETWEEN %(first)s AND %(last)s
          AND event.origin <> 'notification'
          AND event.origin = 'observation'
        ORDER BY event.occurred_at DESC, event.position DESC
        LIMIT 1
    ) AS look

    UNION ALL

    SELECT event.position
    FROM floor
    CROSS JOIN number
    JOIN inventory.contact_center_number_version AS version
      ON version.account_id = %(account_id)s
     AND version.phone_number_id = number.phone_number_id
     AND version.valid_from <= floor.until
     AND (version.valid_to IS NULL OR version.valid_to > floor.until)
    JOIN inventory.event
      ON event.account_id = %(account_id)s
     AND event.phone_number_id = version.phone_number_id
     AND event.occurred_at >= version.valid_from
     AND (event.occurred_at, event.position) >= (version.valid_from, version.opened_by)

    UNION ALL

    (
        SELECT position
        FROM inventory.event
        WHERE account_id = %(account_id)s
          AND position BETWEEN %(first)s AND %(last)s
          AND origin = 'notification'
        ORDER BY position DESC
        LIMIT 1
    )

    UNION ALL

    SELECT word.position
    FROM inventory.discrepancy
    CROSS JOIN LATERAL (
        SELECT event.position
        FROM inventory.event
        WHERE event.account_id = %(account_id)s
          AND event.phone_number_id = discrepancy.phone_number_id
          AND event.origin = 'notification'
          AND event.recorded_at > discrepancy.seen_at
          AND event.occurred_at < discrepancy.seen_at + interval '1 day'
        ORDER BY event.position
        LIMIT 1
    ) AS word
    WHERE discrepancy.account_id = %(account_id)s
      AND discrepancy.class = 'missed event'
)"""

COUNT = f"""{_KEPT}
SELECT count(*)
FROM inventory.event
WHERE account_id = %(account_id)s
  AND position BETWEEN %(first)s AND %(last)s
  AND position NOT IN (SELECT position FROM kept)
"""

RECORD = """
INSERT INTO inventory.archive (
    account_id, first_position, last_position, recorded_until, occurred_until, manifest_sha256,
    directory
) VALUES (
    %(account_id)s, %(first)s, %(last)s, %(recorded_until)s, %(occurred_until)s,
    %(manifest_sha256)s, %(directory)s
)
"""

RAISE_FLOOR = """
UPDATE inventory.account
SET archived_until = greatest(archived_until, %(occurred_until)s)
WHERE account_id = %(account_id)s
"""

REMOVE = f"""{_KEPT}
DELETE FROM inventory.event
WHERE account_id = %(account_id)s
  AND position BETWEEN %(first)s AND %(last)s
  AND position NOT IN (SELECT position FROM kept)
"""


class NotDetachable(InventoryError):
    """The events of an archive must stay in the table; nothing was removed."""


class Detachment(NamedTuple):
    """What detaching an archive removes, or has removed."""

    account_id: str
    first_position: int
    last_position: int
    removed: int
    """Events that no fold of later ones needs."""
    kept: int
    """Events that stay in the table, too."""


def plan(connection: Connection, directory: Path) -> Detachment:
    """
    What `detach` would remove, looked at in the same way. Removes nothing.

    Assumes a connection in autocommit mode.

    Raises:
        NotDetachable: It would refuse.
        InvalidArchive: There is no archive.
    """
    manifest, manifest_sha256, resumed = _examined(connection, directory)
    wanted = _wanted(manifest, manifest_sha256, directory)
    if not resumed:
        _demand_folded(connection, manifest)
    counted = connection.execute(COUNT, wanted).fetchone()
    assert counted is not None  # noqa: S101 - an aggregate has a row
    return _detachment(manifest, counted[0])


def detach(connection: Connection, directory: Path) -> Detachment:
    """
    Remove what the archive at *directory* holds and later events do not need.

    First the archive is held against itself, then, byte for byte, against the table. Then it is
    recorded, in a short transaction under the account's lock: from then on nothing older is
    appended, and nothing answers from what is left as if it were the whole. What is removed then
    goes in a transaction of its own, while others append. A crash between the two leaves all events
    in the table; detaching again goes on.

    Assumes a connection in autocommit mode with the rights of the tables' owner.

    Raises:
        NotDetachable: Archive and table differ, or something is not folded yet.
        InvalidArchive: There is no archive.
    """
    manifest, manifest_sha256, resumed = _examined(connection, directory)
    wanted = _wanted(manifest, manifest_sha256, directory)
    if not resumed:
        with connection.transaction():
            # Before the account's row, so that no append waits while we wait for a rebuild.
            connection.execute(HOLD_PROJECTOR, wanted)
            event_log.lock(connection, manifest.account_id)
            # What is older than the archive's end and not folded yet could not be folded any more.
            projector.fold(connection, manifest.account_id)
            _demand_folded(connection, manifest)
            if overlapping := connection.execute(OVERLAPPING, wanted).fetchone():
                first, last = overlapping
                raise NotDetachable(
                    f"expected events that are not detached yet, found {first} to {last} detached"
                )
            connection.execute(RECORD, wanted)
            connection.execute(RAISE_FLOOR, wanted)
    with connection.transaction():
        removed = connection.execute(REMOVE, wanted).rowcount
    return _detachment(manifest, removed)


def _examined(connection: Connection, directory: Path) -> tuple[Manifest, bytes, bool]:
    """The archive, held against itself and the table, and whether it was recorded before."""
    for difference in examine(directory, Examined()):
        raise NotDetachable(
            f"expected an archive that verifies, found {difference.what} altered in {directory}; "
            "nothing was removed"
        )
    manifest, manifest_sha256 = directories.manifest_of(directory)
    recorded = is_recorded(connection, manifest, manifest_sha256)
    if recorded is False:
        raise NotDetachable(
            f"expected the archive that was detached for events {manifest.first_position} to "
            f"{manifest.last_position}, found another in {directory}; nothing was removed"
        )
    clear(connection)
    stage(connection, directory)
    wanted = _wanted(manifest, manifest_sha256, directory)
    side = "" if recorded else "FULL"
    differing = connection.execute(DIFFERING.format(side=side).encode(), wanted).fetchone()
    if differing is not None:
        raise NotDetachable(
            f"expected the archive to hold the log byte for byte, found event {differing[0]} of "
            f"account {manifest.account_id} to differ; nothing was removed"
        )
    if connection.execute(SEALED, wanted).fetchone() is None:
        raise NotDetachable(
            f"expected a seal at {manifest.last_position} with the archive's hash, found none; "
            "nothing was removed"
        )
    return manifest, manifest_sha256, bool(recorded)


def _demand_folded(connection: Connection, manifest: Manifest) -> None:
    waiting = connection.execute(UNFOLDED, {"account_id": manifest.account_id}).fetchone()
    if waiting is None or waiting[0]:
        raise NotDetachable(
            f"expected all events of account {manifest.account_id} folded, found "
            f"{waiting[0] if waiting else 'no such account'} waiting; "
            "`inventory projection run` folds them; nothing was removed"
        )


def _wanted(manifest: Manifest, manifest_sha256: bytes, directory: Path) -> dict[str, object]:
    return {
        "account_id": manifest.account_id,
        "first": manifest.first_position,
        "last": manifest.last_position,
        "head_hash": manifest.head_hash,
        "recorded_until": manifest.recorded_until,
        "occurred_until": manifest.occurred_until,
        "manifest_sha256": manifest_sha256,
        "directory": str(directory.absolute()),
    }


def _detachment(manifest: Manifest, removed: int) -> Detachment:
    return Detachment(
        manifest.account_id,
        manifest.first_position,
        manifest.last_position,
        removed,
        manifest.events - removed,
    )
