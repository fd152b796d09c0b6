"""
The quarantine: what arrived and could not be an event, kept with the reason, byte for byte.

What arrives again for the same reason is counted, not stored again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from psycopg import Connection
from psycopg.rows import class_row

from inventory.errors import InventoryError
from inventory.notification import Reason

PUT = """
INSERT INTO inventory.quarantine (source, reason, detail, payload)
VALUES (%(source)s, %(reason)s, %(detail)s, %(payload)s)
ON CONFLICT (payload_sha256, reason) DO UPDATE
SET arrivals = quarantine.arrivals + 1
"""

OPEN_IDS = """
SELECT id
FROM inventory.quarantine
WHERE resolved_at IS NULL
  AND reason = coalesce(%(reason)s, reason)
ORDER BY id
"""

LOCK_ITEM = """
SELECT id, received_at, source, reason, detail, payload, arrivals, resolved_at, resolution
FROM inventory.quarantine
WHERE id = %(id)s
FOR UPDATE
"""

RESOLVE = """
UPDATE inventory.quarantine
SET resolved_at = clock_timestamp(), resolution = %(resolution)s
WHERE id = %(id)s
"""


class Quarantined(NamedTuple):
    """Something that arrived and is to be kept, though not as an event."""

    source: str
    """Where from: `webhook`, `file:NAME#ITEM`, …"""
    reason: Reason
    detail: str
    payload: bytes


class Item(NamedTuple):
    """A row of the quarantine."""

    id: int
    received_at: datetime
    source: str
    reason: Reason
    detail: str
    payload: bytes
    arrivals: int
    resolved_at: datetime | None
    resolution: str | None


class NotInQuarantine(InventoryError):
    """No open item has this id."""

    def __init__(self, id: int, resolution: str | None = None) -> None:  # noqa: A002 - its name
        super().__init__(
            f"expected an open item {id} in quarantine, "
            + (f"found it resolved: {resolution}" if resolution else "found none")
        )
        self.id = id


def put(connection: Connection, items: Iterable[Quarantined]) -> None:
    """Keep *items*. One order for all writers, so that no two wait for each other in a circle."""
    ordered = sorted(items, key=lambda item: (item.payload, item.reason))
    if ordered:
        connection.cursor().executemany(PUT, [item._asdict() for item in ordered])


def open_ids(connection: Connection, reason: str | None = None) -> list[int]:
    """The ids of what is unresolved, of one reason or of all, oldest first."""
    return [id_ for (id_,) in connection.execute(OPEN_IDS, {"reason": reason})]


def take(connection: Connection, id: int) -> Item:  # noqa: A002 - its name
    """
    An open item, locked until the transaction ends.

    Raises:
        NotInQuarantine: There is none of this id, or it is resolved.
    """
    item = connection.cursor(row_factory=class_row(Item)).execute(LOCK_ITEM, {"id": id}).fetchone()
    if item is None or item.resolution is not None:
        raise NotInQuarantine(id, item and item.resolution)
    return item


def resolve(connection: Connection, item: Item, resolution: str) -> None:
    """Close *item*, saying what became of it. Assumes that it was taken."""
    connection.execute(RESOLVE, {"id": item.id, "resolution": resolution})


def discard(connection: Connection, ids: Sequence[int], reason: str) -> None:
    """
    Close items without making them events; they stay readable.

    Raises:
        NotInQuarantine: One of them is none or closed; then none was closed.
    """
    for id_ in ids:
        resolve(connection, take(connection, id_), f"discarded: {reason}")
