"""
Old ranges of the log, kept in files: exported, detached from the table, verified, restored.

An archive is a directory: the events and seals of one account's range as Parquet, byte for byte,
and a manifest with their hashes. It proves itself without the database. Detaching removes from the
table what no fold of later events needs; what does need it fails and says so.
"""

from __future__ import annotations

from inventory.archive.detach import Detachment, NotDetachable, detach, plan
from inventory.archive.directory import InvalidArchive
from inventory.archive.examination import Examined, examine
from inventory.archive.export import NothingToArchive, export
from inventory.archive.manifest import Manifest
from inventory.archive.restore import NotDetached, restore
from inventory.archive.together import ArchiveNeeded, OfNoDetached, verify

__all__ = [
    "ArchiveNeeded",
    "Detachment",
    "Examined",
    "InvalidArchive",
    "Manifest",
    "NotDetachable",
    "NotDetached",
    "NothingToArchive",
    "OfNoDetached",
    "detach",
    "examine",
    "export",
    "plan",
    "restore",
    "verify",
]
