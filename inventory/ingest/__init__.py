"""
Taking notifications in: read, append, and quarantine what cannot be an event.

One transaction a batch holds its events and its quarantined items alike, so a crash loses nothing
that was reported, and the same input taken in again appends nothing.
"""

from __future__ import annotations

from inventory.ingest.group_commit import GroupCommit, NotTaken
from inventory.ingest.intake import Intake, Outcome
from inventory.ingest.retry import Retried, retry
from inventory.ingest.source import Source, UnreadableSource

__all__ = [
    "GroupCommit",
    "Intake",
    "NotTaken",
    "Outcome",
    "Retried",
    "Source",
    "UnreadableSource",
    "retry",
]
