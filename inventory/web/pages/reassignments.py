"""`/reassignments`: which numbers moved, from whom to whom."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, TypeAlias

from inventory import read_model
from inventory.web.pages import said
from inventory.web.pages.asked import Asked
from inventory.web.pages.changes import LATEST
from inventory.web.pages.said import Said
from inventory.web.pages.sheet import Sheet
from inventory.web.words import KINDS

PATH = "/reassignments"
FILTERS = {
    "kind": "kind",
    "from_provider": "from_provider_id",
    "to_provider": "to_provider_id",
    "account": "account_id",
}
PARAMETERS = ("since", "until", *FILTERS, "after")
LATELY = timedelta(days=30)
PROVIDERS = 12
"""Told apart in the matrix, those with most moves."""
OUTSIDE = ("outside",)
"""Where numbers come from and go to that are in Contact Center no more, or not yet; no id."""
Side: TypeAlias = str | tuple[str] | None


def show(asked: Asked) -> Sheet:
    """
    How many moved from whom to whom, and which, of those that are asked for.

    Of the last days, where nothing is said of when.
    """
    since, until = asked.instant("since"), asked.instant("until")
    if since is None and "since" not in asked.given:
        since = asked.now - LATELY
    kind = asked.choice("kind", read_model.REASSIGNMENTS)
    sides = {name: asked.text(name) for name in ("from_provider", "to_provider", "account")}
    wanted = read_model.reassignments(
        since=since, until=until, kind=[kind] if kind else (), **sides
    )
    rows, following = asked.rows(wanted, LATEST)
    moves = asked.connection.execute(
        read_model.reassignment_matrix(since=since, until=until, account=sides["account"])
    ).all()
    return Sheet(
        "reassignments.html",
        Said(
            said.command("reassignment", "list", since=since, until=until, kind=kind, **sides),
            said.query(
                "reassignment",
                [
                    *said.within("changed_at", since, until),
                    *said.equal(
                        kind=kind, **{FILTERS[name]: value for name, value in sides.items()}
                    ),
                ],
                "changed_at DESC, account_id, position DESC",
            ),
            asked.url("/api/v1/reassignments", since=since, until=until),
        ),
        {
            "rows": rows,
            "following": following,
            "since": since,
            "until": until,
            "kind": kind,
            "kinds": KINDS,
            "sides": sides,
            **_matrix(moves),
        },
    )


def _matrix(moves: Sequence[Any]) -> dict[str, Any]:
    """Moves as a table: from the providers on its left to those on its top."""
    cells: Counter[tuple[Side, Side]] = Counter()
    busy: Counter[Side] = Counter()
    names: dict[str, str] = {}
    for from_id, from_name, to_id, to_name, numbers in moves:
        cell = _side(from_id, from_name), _side(to_id, to_name)
        names |= {
            provider_id: name
            for provider_id, name in ((from_id, from_name), (to_id, to_name))
            if provider_id is not None and name is not None
        }
        cells[cell] = numbers
        for side in cell:
            busy[side] += numbers
    busy.pop(OUTSIDE, None)
    shown = [*(provider for provider, _ in busy.most_common(PROVIDERS)), OUTSIDE]
    return {
        "sides_shown": shown if cells else [],
        "cells": cells,
        "names": names,
        "moved": sum(cells.values()),
        "hidden": len(busy) + 1 - len(shown),
        "outside": OUTSIDE,
        "busiest": max(cells.values(), default=1),
    }


def _side(provider_id: str | None, name: str | None) -> Side:
    return OUTSIDE if provider_id is None and name == read_model.OUTSIDE else provider_id
