"""
Whether a number's rows in the projection are what the law makes of its events.

Pure. The law is `lifecycle.py`; the rows were folded in SQL, by statements that know nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from inventory.event import Attributes, Recorded
from inventory.lifecycle import LEFT, Change, Step, steps, versions
from inventory.verification.difference import Difference, shown

Row = tuple[Any, ...]


class Table(NamedTuple):
    """A table of the projection, as it is read."""

    name: str
    columns: tuple[str, ...]
    """Beyond account and number, in the order in which they are read."""
    key: str | None
    """The column that tells rows of one number apart; null: there is one row."""
    position: str
    """The column that names the event a row hangs on."""


NUMBER = Table(
    "contact_center_number",
    (
        *Attributes._fields,
        *("valid_from", "entered_at", "provider_since", "verified_at", "unverified_since"),
        "last_position",
    ),
    None,
    "last_position",
)
_VERSION_COLUMNS = (
    *("valid_from", "valid_to"),
    *Attributes._fields,
    *("entered_at", "provider_since", "opened_by", "opened_kind", "opened_origin"),
    *("previous_provider_id", "previous_provider_name"),
    *("closed_by", "closed_kind", "closed_origin"),
)
VERSION = Table("contact_center_number_version", _VERSION_COLUMNS, "valid_from", "opened_by")
MOMENTARY = Table(
    "contact_center_number_momentary_version", _VERSION_COLUMNS, "opened_by", "opened_by"
)


class Rows(NamedTuple):
    """All that the projection has of one number, each table's rows in the order of its key."""

    numbers: list[Row]
    """One, or none while it is out."""
    versions: list[Row]
    momentary: list[Row]


def folded(log: Sequence[Recorded]) -> Rows:
    """What the law makes of the number whose events *log* holds."""
    taken = list(steps(log))
    if not taken:
        return Rows([], [], [])
    changes = [step.change for step in taken if step.change is not None]
    return Rows(_number(taken[-1]), *_versions(taken, changes))


def differences(
    account_id: str, phone_number_id: str, log: Sequence[Recorded], projected: Rows
) -> Iterator[Difference]:
    """Where the rows *projected* of a number are not what its *log* folds to."""
    if any(recorded.event.event_type not in LEFT for recorded in log):
        return  # its own columns differ, which is named there; the law knows no such event
    expected = folded(log)
    if expected == projected:
        return
    for table, of_law, of_table in zip(
        (NUMBER, VERSION, MOMENTARY), expected, projected, strict=True
    ):
        yield from compared(account_id, phone_number_id, table, of_law, of_table)


def compared(
    account_id: str,
    phone_number_id: str,
    table: Table,
    expected: Sequence[Row],
    found: Sequence[Row],
) -> Iterator[Difference]:
    """Every row, and every value of a row, of one number in *table* that differs."""
    at = None if table.key is None else table.columns.index(table.key)
    position = table.columns.index(table.position)
    of_law = {at if at is None else row[at]: row for row in expected}
    of_table = {at if at is None else row[at]: row for row in found}
    for key in {**of_law, **of_table}:
        wanted, there = of_law.get(key), of_table.get(key)
        if wanted is None or there is None:
            hangs_on = (wanted or there or ())[position]
            texts = table.name, _row(table, wanted), _row(table, there)
            yield Difference(account_id, hangs_on, phone_number_id, *texts)
            continue
        for name, of_fold, of_row in zip(table.columns, wanted, there, strict=True):
            if of_fold != of_row:
                what = f"{table.name}.{name}"
                texts = what, shown(of_fold), shown(of_row)
                yield Difference(account_id, wanted[position], phone_number_id, *texts)


def _row(table: Table, row: Row | None) -> str | None:
    """A row in words: all of its values that are not null."""
    if row is None:
        return None
    named = zip(table.columns, row, strict=True)
    return ", ".join(f"{name}={shown(value)}" for name, value in named if value is not None)


def _number(final: Step) -> list[Row]:
    state = final.after
    if state is None:
        return []
    return [
        (
            *state.attributes,
            state.valid_from,
            state.entered_at,
            state.provider_since,
            final.verified_at,
            state.unverified_since,
            final.recorded.position,
        )
    ]


def _versions(taken: Sequence[Step], changes: Sequence[Change]) -> tuple[list[Row], list[Row]]:
    """Lasting and momentary versions, each with the changes that opened and closed it."""
    by = {change.position: change for change in changes}
    lasting: list[Row] = []
    momentary: list[Row] = []
    for version in versions(taken):
        opened = by[version.opened_by]
        closed = None if version.closed_by is None else by[version.closed_by]
        row = (
            version.valid_from,
            version.valid_to,
            *version.attributes,
            version.entered_at,
            version.provider_since,
            version.opened_by,
            opened.kind,
            opened.origin,
            opened.before and opened.before.provider_id,
            opened.before and opened.before.provider_name,
            version.closed_by,
            closed.kind if closed and closed.after is None else None,
            closed and closed.origin,
        )
        (momentary if version.momentary else lasting).append(row)
    return lasting, momentary
