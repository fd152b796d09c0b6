"""What was said of numbers at another time: the law, over the events known then."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from inventory import lifecycle, schema
from inventory.lifecycle import Step
from inventory.read_model.log import log_of

HISTORY_COLUMNS = tuple(schema.contact_center_number_version.c.keys())
"""What a version is made of, now or then."""


def history_as_of(
    connection: Connection,
    keys: Sequence[tuple[str, str]],
    at: datetime | None,
    known_at: datetime | None,
    *,
    limit: int | None = None,
) -> list[dict[str, Any]]:
    """
    The versions of these numbers, oldest first, as they were *at* one time and known at another.

    Rows like those of the table of versions. Null: now. A version that had not ended then has no
    end, whatever became of it. Reads the events of these numbers alone.
    """
    versions = [
        version
        for account_id, phone_number_id in keys
        for version in _versions(
            lifecycle.steps(
                log_of(connection, account_id, phone_number_id, at=at, known_at=known_at)
            )
        )
    ]
    versions.sort(key=lambda row: (row["account_id"], row["valid_from"], row["phone_number_id"]))
    return versions[:limit]


def _versions(steps: Iterable[Step]) -> Iterator[dict[str, Any]]:
    """The lasting versions of one number."""
    version: dict[str, Any] | None = None
    for step in steps:
        if step.change is None:
            continue
        if version is not None:
            closed = version | _end(step)
            if closed["valid_from"] < closed["valid_to"]:
                yield closed
        version = _beginning(step)
    if version is not None:
        yield version


def _beginning(step: Step) -> dict[str, Any] | None:
    """The version that the event of *step* opened, not ended yet; null: it left the number out."""
    before, after, change = step.before, step.after, step.change
    if after is None or change is None:
        return None
    event = step.recorded.event
    return dict.fromkeys(HISTORY_COLUMNS) | {
        "account_id": event.account_id,
        "phone_number_id": event.phone_number_id,
        "valid_from": after.valid_from,
        **after.attributes._asdict(),
        "entered_at": after.entered_at,
        "provider_since": after.provider_since,
        "opened_by": after.opened_by,
        "opened_kind": change.kind,
        "opened_origin": change.origin,
        "previous_provider_id": before and before.attributes.provider_id,
        "previous_provider_name": before and before.attributes.provider_name,
    }


def _end(step: Step) -> dict[str, Any]:
    """How the event of *step* ended the version before it."""
    change = step.change
    assert change is not None  # noqa: S101 - only a change ends a version
    return {
        "valid_to": change.changed_at,
        "closed_by": change.position,
        "closed_kind": change.kind if step.after is None else None,
        "closed_origin": change.origin,
    }
