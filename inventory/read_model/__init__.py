"""
What can be asked of the inventory: every read, in SQLAlchemy's expressions.

Rows come as SQLAlchemy rows named like the SQL columns, streamed from the server.
"""

from __future__ import annotations

from inventory.read_model.changes import (
    OUTSIDE,
    REASSIGNMENTS,
    changes,
    reassignment_matrix,
    reassignments,
)
from inventory.read_model.freshness import freshness
from inventory.read_model.identity import NumberUnknown, identities, spellings
from inventory.read_model.late import late_numbers
from inventory.read_model.log import (
    AccountNeeded,
    EventUnknown,
    account_log,
    event_at,
    events,
    events_after,
    heads,
    log_of,
)
from inventory.read_model.numbers import current, history, numbers, numbers_as_of
from inventory.read_model.pages import Key, after, ordered
from inventory.read_model.past import HISTORY_COLUMNS, history_as_of
from inventory.read_model.providers import providers
from inventory.read_model.quarantine import open_quarantine, quarantined, quarantined_item
from inventory.read_model.reconciliations import (
    ReconciliationUnknown,
    discrepancies,
    found_identities,
    reconciliation,
    reconciliations,
    suppressions,
)
from inventory.read_model.state import state
from inventory.read_model.subscriptions import subscriptions
from inventory.read_model.tokens import tokens

__all__ = [
    "HISTORY_COLUMNS",
    "OUTSIDE",
    "REASSIGNMENTS",
    "AccountNeeded",
    "EventUnknown",
    "Key",
    "NumberUnknown",
    "ReconciliationUnknown",
    "account_log",
    "after",
    "changes",
    "current",
    "discrepancies",
    "event_at",
    "events",
    "events_after",
    "found_identities",
    "freshness",
    "heads",
    "history",
    "history_as_of",
    "identities",
    "late_numbers",
    "log_of",
    "numbers",
    "numbers_as_of",
    "open_quarantine",
    "ordered",
    "providers",
    "quarantined",
    "quarantined_item",
    "reassignment_matrix",
    "reassignments",
    "reconciliation",
    "reconciliations",
    "spellings",
    "state",
    "subscriptions",
    "suppressions",
    "tokens",
]
