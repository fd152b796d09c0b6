"""A reconciliation from beginning to end."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from typing import Literal, NamedTuple, TypeAlias

import psycopg
from psycopg import Connection

from inventory import projector
from inventory.reconciliation import run as runs
from inventory.reconciliation.plan import Override, Plan, draw_up
from inventory.reconciliation.recording import record
from inventory.reconciliation.scope import EVERYTHING, Scope
from inventory.reconciliation.source import Source

Mode: TypeAlias = Literal["apply", "plan"]
"""Whether a recorded run appends observations, or nothing."""


class Reconciled(NamedTuple):
    """A run that has ended."""

    id: int
    plan: Plan
    done: Counter[str]
    """What was recorded, by kind of finding; and what was `appended`, and `left_alone`."""


def reconcile(
    connection: Connection,
    source: Source,
    *,
    mode: Mode,
    scope: Scope = EVERYTHING,
    override: Override | None = None,
) -> Reconciled:
    """
    Compare the account's inventory with *source*, record the run, and append what was seen.

    Assumes that we are alone with the account, by the connection that is given, in autocommit mode.

    Raises:
        Denied: We may not read everything there.
        RingCentralError: It could not be read at all. The run is recorded as failed.
    """
    id_ = runs.begin(connection, source, scope=scope, mode=mode)
    return carry_out(connection, source, id_, mode=mode, scope=scope, override=override)


def carry_out(
    connection: Connection,
    source: Source,
    id: int,  # noqa: A002 - its name
    *,
    mode: Mode,
    scope: Scope = EVERYTHING,
    override: Override | None = None,
) -> Reconciled:
    """As `reconcile`, for a run that has begun."""
    try:
        reading = source.read()
        # After the list, so that the inventory shows what we were told while it was read.
        with connection.transaction():
            projector.fold(connection, source.account_id)
        plan = draw_up(connection, source, reading, scope=scope, override=override)
        done = record(connection, plan, id, append=mode == "apply")
        runs.end(connection, id, plan, done)
    except BaseException as error:
        # Where this cannot be said either, the run is one that crashed.
        with suppress(psycopg.Error):
            runs.fail(connection, id, source, error)
        raise
    return Reconciled(id, plan, done)
