"""
The projector: folds each account's log into the current inventory and its versions.

Exactly once: the checkpoint moves in the transaction that folds. Projectors take an account's
`projection_checkpoint` row, never its `account` row, so that a long fold holds up no append, and
several projectors share the accounts between them.
"""

from __future__ import annotations

from inventory.projector.all import fold_all
from inventory.projector.fold import Folded, fold, lagging
from inventory.projector.follower import Follower
from inventory.projector.rebuild import ReadersHeldOn, rebuild

__all__ = ["Folded", "Follower", "ReadersHeldOn", "fold", "fold_all", "lagging", "rebuild"]
