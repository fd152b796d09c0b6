"""`/reconciliations`: how the inventory was held against what RingCentral has."""

from __future__ import annotations

from inventory import read_model
from inventory.read_model import Key
from inventory.web.pages import said
from inventory.web.pages.asked import Asked
from inventory.web.pages.said import Said
from inventory.web.pages.sheet import Sheet

PATH = "/reconciliations"
PARAMETERS = ("account", "outcome", "after")
LATEST = [Key("id", descending=True)]


def show(asked: Asked) -> Sheet:
    """Runs that were made, are being made or were asked for; latest first."""
    account, outcome = asked.text("account"), asked.text("outcome")
    rows, following = asked.rows(
        read_model.reconciliations(account=account, outcome=outcome), LATEST
    )
    return Sheet(
        "reconciliations.html",
        Said(
            said.command("reconciliation", "list", account=account),
            said.query(
                "reconciliation", said.equal(account_id=account, outcome=outcome), "id DESC"
            ),
            asked.url("/api/v1/reconciliations"),
        ),
        {"rows": rows, "following": following, "account": account, "outcome": outcome},
    )
