"""
What can be asked of the inventory: every read, in SQLAlchemy's expressions.

Rows come as SQLAlchemy rows named like the SQL columns, streamed from the server.
"""

from __future__ import annotations

from inventory.read_model.archives import archives
from inventory.read_model.changes import (
    OUTSIDE,
    REASSIGNMENTS,
    changes,
    reassignment_matrix,
    reassignments,
)
from inventory.read_model.differences import Difference, between, differences
from inventory.read_model.discrepancies import open_discrepancies
from inventory.read_model.facets import Facet, facets
from inventory.read_model.freshness import freshness
from inventory.read_model.identity import NumberUnknown, holders, identities, spellings
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
from inventory.read_model.machinery import accounts, server_version
from inventory.read_model.measures import (
    Told,
    currency,
    latest_findings,
    latest_outcomes,
    told_lately,
)
from inventory.read_model.numbers import current, history, numbers, numbers_as_of
from inventory.read_model.overview import Holding, changes_since, holdings
from inventory.read_model.pages import Key, after, ordered
from inventory.read_model.past import HISTORY_COLUMNS, history_as_of
from inventory.read_model.providers import providers
from inventory.read_model.quarantine import (
    open_items,
    open_quarantine,
    quarantined,
    quarantined_by_reason,
    quarantined_item,
)
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
from inventory.read_model.then import numbers_at
from inventory.read_model.tokens import tokens

__all__ = [
    "HISTORY_COLUMNS",
    "OUTSIDE",
    "REASSIGNMENTS",
    "AccountNeeded",
    "Difference",
    "EventUnknown",
    "Facet",
    "Holding",
    "Key",
    "NumberUnknown",
    "ReconciliationUnknown",
    "Told",
    "account_log",
    "accounts",
    "after",
    "archives",
    "between",
    "changes",
    "changes_since",
    "currency",
    "current",
    "differences",
    "discrepancies",
    "event_at",
    "events",
    "events_after",
    "facets",
    "found_identities",
    "freshness",
    "heads",
    "history",
    "history_as_of",
    "holders",
    "holdings",
    "identities",
    "late_numbers",
    "latest_findings",
    "latest_outcomes",
    "log_of",
    "numbers",
    "numbers_as_of",
    "numbers_at",
    "open_discrepancies",
    "open_items",
    "open_quarantine",
    "ordered",
    "providers",
    "quarantined",
    "quarantined_by_reason",
    "quarantined_item",
    "reassignment_matrix",
    "reassignments",
    "reconciliation",
    "reconciliations",
    "server_version",
    "spellings",
    "state",
    "subscriptions",
    "suppressions",
    "tokens",
    "told_lately",
]
