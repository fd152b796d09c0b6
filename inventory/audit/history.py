"""
What the law makes of one number's events, as a bundle holds it.

Pure; used twice: to gather evidence, and to examine it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from inventory import explanation
from inventory.audit.layout import Row, stored
from inventory.event import Recorded
from inventory.lifecycle import Change, steps
from inventory.verification import projection


class History(NamedTuple):
    """One number's life."""

    deeds: dict[int, str]
    """What the event at each position did, in words."""
    standing: str
    """How the number stands after all of them, in words."""
    versions: list[Row]
    """Rows of table `version`, in the order of its key."""
    changes: list[Row]
    """Rows of table `change`, in the order of its key."""


def history(account_id: str, phone_number_id: str, log: Sequence[Recorded]) -> History:
    """The life of the number whose events, at least one, *log* holds."""
    key = account_id, phone_number_id
    taken = list(steps(log))
    folded = projection.folded(log)
    opened_by = projection.VERSION.columns.index("opened_by")
    versions = sorted([*folded.versions, *folded.momentary], key=lambda row: row[opened_by])
    changes = [step.change for step in taken if step.change is not None]
    return History(
        {step.recorded.position: explanation.deed(step) for step in taken},
        explanation.standing(taken[-1]),
        [tuple(stored(value) for value in (*key, *row)) for row in versions],
        [
            _change(account_id, phone_number_id, change)
            for change in sorted(changes, key=lambda change: change.position)
        ],
    )


def _change(account_id: str, phone_number_id: str, change: Change) -> Row:
    before, after = change.before, change.after
    shown = after or before
    return (
        account_id,
        phone_number_id,
        shown and shown.phone_number,
        stored(change.changed_at),
        change.kind,
        before and before.provider_id,
        before and before.provider_name,
        after and after.provider_id,
        after and after.provider_name,
        change.position,
        change.origin,
    )
