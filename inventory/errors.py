"""
Every error this package raises on purpose.

One base class, so that an edge can tell an expected failure from a bug. Each error is named for
what happened, carries the facts as attributes, and composes one sentence for people: what was
expected, then what was found. Exit codes and HTTP statuses are chosen at the edges, never here.
"""

from __future__ import annotations


class InventoryError(Exception):
    """Something expected went wrong."""
