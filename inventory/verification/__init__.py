"""
Proof that nobody altered the record, or what was altered, down to the event.

An account's log is dense, sealed and chained; its columns say what its payloads say; its projection
is the fold of its events. `chain`, `columns` and `projection` each know one of these and touch
nothing outside; `snapshot` reads what they look at.
"""

from __future__ import annotations

from inventory.verification.anchor import Anchor, InvalidAnchors
from inventory.verification.anchor import read as read_anchors
from inventory.verification.difference import Difference
from inventory.verification.heads import heads
from inventory.verification.verify import AccountUnknown, Verified, verify

__all__ = [
    "AccountUnknown",
    "Anchor",
    "Difference",
    "InvalidAnchors",
    "Verified",
    "heads",
    "read_anchors",
    "verify",
]
