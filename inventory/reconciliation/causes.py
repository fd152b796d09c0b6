"""Why a discrepancy was not known, as far as what is in the log tells. Pure."""

from __future__ import annotations

from typing import Literal, TypeAlias

from inventory.drift import Finding
from inventory.reconciliation.held import Latest

Cause: TypeAlias = Literal[
    "initial load", "missed event", "silent change", "out-of-band", "unexplained"
]
"""
`late event` is none of these: that a notification was late is known when it comes, and the view
`classified_discrepancy` says so.
"""


def cause_of(
    finding: Finding, latest: Latest | None, *, before_us: bool, by_file: bool
) -> Cause | None:
    """
    Why *finding* was not known; null if it is no discrepancy, or not decided.

    RingCentral announces that a number is created, deleted, converted and reassigned away, and
    probably nothing else: provider, location, status and porting change in silence.

    Args:
        finding: What was found.
        latest: The number's latest event.
        before_us: Whether the number may have been there before anybody compared the account.
        by_file: Whether a file said so, and not RingCentral.
    """
    if finding.kind in {"missing", "confirmed"}:
        return None
    if by_file or (latest is not None and latest.origin == "operator"):
        return "out-of-band"
    if finding.kind == "different":
        return "silent change"
    if finding.kind == "added" and latest is not None and latest.event_type == "Deleted":
        return "unexplained"  # an id is not given twice
    if finding.kind == "added" and before_us:
        return "initial load"
    return "missed event"
