"""`/numbers/ACCOUNT/ID`: one number, how it stands and how it came to that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from inventory import explanation, lifecycle, read_model
from inventory.lifecycle import Step
from inventory.read_model import between
from inventory.web.pages import said
from inventory.web.pages.asked import Asked
from inventory.web.pages.said import Said
from inventory.web.pages.sheet import Sheet
from inventory.web.problem import Problem
from inventory.web.words import iso

PATH = "/numbers/{account_id}/{phone_number_id}"
PARAMETERS = ("at", "known_at", "events")
EVENTS = 100
"""Shown, the latest ones, unless all are asked for."""


def address_of(account_id: str, phone_number_id: str) -> str:
    """The path of a number's page."""
    return f"/numbers/{quote(account_id, safe='')}/{quote(phone_number_id, safe='')}"


def show(asked: Asked) -> Sheet:
    """The number as it was at the time that is asked for, and every event of it until then."""
    key = asked.path("account_id"), asked.path("phone_number_id")
    at, known_at = asked.clocks.values()
    log = read_model.log_of(asked.connection, *key)
    if not log:
        raise Problem(404, f"expected a number of which there is an event, found none of {key[1]}")
    steps = list(
        lifecycle.steps(
            recorded
            for recorded in log
            if (at is None or recorded.event.occurred_at <= at)
            and (known_at is None or recorded.recorded_at <= known_at)
        )
    )
    everything = asked.choice("events", ["all"]) == "all"
    shown = steps if everything else steps[-EVENTS:]
    latest = steps[-1].recorded.event.attributes if steps else log[-1].event.attributes
    return Sheet(
        "number.html",
        _said(asked, *key),
        {
            "account_id": key[0],
            "phone_number_id": key[1],
            "phone_number": latest.phone_number,
            "at": at,
            "known_at": known_at,
            "standing": explanation.standing(steps[-1]) if steps else None,
            "state": steps[-1].after if steps else None,
            "verified_at": steps[-1].verified_at if steps else None,
            "fields": explanation.fields(steps) if steps else [],
            "steps": [_told(step) for step in reversed(shown)],
            "earlier": len(steps) - len(shown),
            "later": len(log) - len(steps),
            "others": _others(asked, key, latest.phone_number),
        },
    )


def _told(step: Step) -> dict[str, Any]:
    """What an event did, for people."""
    change = step.change
    differences: Sequence[Any] = []
    if change is not None and change.before is not None and change.after is not None:
        differences = between(change.before, change.after)
    return {
        "recorded": step.recorded,
        "event": step.recorded.event,
        "kind": change and change.kind,
        "deed": explanation.deed(step),
        "differences": differences,
        "as_of": iso(step.recorded.event.occurred_at),
    }


def _others(
    asked: Asked, key: tuple[str, str], phone_number: str | None
) -> Sequence[tuple[str, str]]:
    """Other numbers that have, or had, the same E.164 number: porting gives it another id."""
    held = read_model.holders(asked.connection, phone_number) if phone_number else []
    return [other for other in held if other != key]


def _said(asked: Asked, account_id: str, phone_number_id: str) -> Said:
    clocks = asked.clocks
    then = said.as_of(**clocks)
    path = f"/api/v1/numbers/{quote(phone_number_id, safe='')}/history"
    return Said(
        said.command("number", "explain", phone_number_id, account=account_id, **clocks),
        said.query(
            then or "contact_center_number_version",
            said.equal(account_id=account_id, phone_number_id=phone_number_id),
            "phone_number_id" if then else "valid_from",
        ),
        asked.url(path, events=None, account=account_id, **clocks),
    )
