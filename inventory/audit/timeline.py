"""A bundle's events as they followed each other, with what each did."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from inventory.audit.bundle import Bundle

COLUMNS = (
    *("occurred_at", "account_id", "phone_number_id", "phone_number", "event_type", "did"),
    *("position", "origin", "recorded_at", "source", "payload_sha256"),
)

TIMELINE = """
SELECT
    occurred_at, account_id, phone_number_id, phone_number, event_type, did,
    position, origin, recorded_at,
    (
        SELECT source
        FROM seal
        WHERE seal.account_id = event.account_id AND last_position >= position
        ORDER BY last_position
        LIMIT 1
    ) AS source,
    payload_sha256
FROM event
ORDER BY occurred_at, account_id, position
"""


def timeline(bundle: Bundle) -> Iterator[dict[str, Any]]:
    """Its rows, by the names in `COLUMNS`, in the order of the law."""
    return bundle.named(TIMELINE)
