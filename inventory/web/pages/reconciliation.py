"""`/reconciliations/ID`: one run: how it ended, which guard objected, and what it found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from inventory import read_model
from inventory.event import Attributes
from inventory.read_model import Difference, Key, between
from inventory.web.pages import said
from inventory.web.pages.asked import Asked
from inventory.web.pages.said import Said
from inventory.web.pages.sheet import Sheet
from inventory.web.problem import Problem

PATH = "/reconciliations/{id:int}"
PARAMETERS = ("after",)
KINDS = ("added", "different", "departed", "deleted", "missing", "confirmed", "suppressed")
GREATEST = 2**63 - 1


def show(asked: Asked) -> Sheet:
    """The plan or what was done of it; where a guard tripped, what to type if it was wrong."""
    id_ = int(asked.path("id"))
    try:
        run = read_model.reconciliation(asked.connection, min(id_, GREATEST))
    except read_model.ReconciliationUnknown as error:
        raise Problem(404, str(error)) from None
    rows, following = asked.rows(read_model.discrepancies(id_), [Key("id")])
    confirming = None
    if run["outcome"] == "refused":
        confirming = said.command(
            "reconcile",
            "--apply",
            account=run["account_id"],
            confirm_absent=str(run["missing"]),
            reason="why they are gone",
        )
    return Sheet(
        "reconciliation.html",
        Said(
            said.command("reconciliation", "show", str(id_)),
            said.query("classified_discrepancy", [f"reconciliation_id = {id_}"], "id"),
            None,
        ),
        {
            "run": run,
            "counts": {kind: run[kind] for kind in KINDS if run[kind]},
            "rows": [(row, _differences(row.expected, row.found)) for row in rows],
            "following": following,
            "planning": said.command("reconcile", account=run["account_id"]),
            "confirming": confirming,
        },
    )


def _differences(
    expected: Mapping[str, Any] | None, found: Mapping[str, Any] | None
) -> list[Difference]:
    """The fields that differ, where there are two sides."""
    if expected is None or found is None:
        return []
    sides = (Attributes(*map(side.get, Attributes._fields)) for side in (expected, found))
    return between(*sides)
