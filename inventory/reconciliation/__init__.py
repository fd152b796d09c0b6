"""
Reconciliation: the inventory held against what RingCentral, or another list, has.

A wrong reconciliation is worse than none. So nothing is called absent because a list lacks it:
the list is proven complete first, the guards must agree, and each number is looked at by itself.
"""

from __future__ import annotations

from inventory.reconciliation.alone import UnderWay, alone
from inventory.reconciliation.file_source import FileSource
from inventory.reconciliation.listing import OURS, UnreadableList
from inventory.reconciliation.plan import Override, Plan, Planned, draw_up
from inventory.reconciliation.reconcile import Mode, Reconciled, reconcile
from inventory.reconciliation.schedule import Schedule
from inventory.reconciliation.scope import EVERYTHING, Scope
from inventory.reconciliation.source import RingCentralSource, Source

__all__ = [
    "EVERYTHING",
    "OURS",
    "FileSource",
    "Mode",
    "Override",
    "Plan",
    "Planned",
    "Reconciled",
    "RingCentralSource",
    "Schedule",
    "Scope",
    "Source",
    "UnderWay",
    "UnreadableList",
    "alone",
    "draw_up",
    "reconcile",
]
