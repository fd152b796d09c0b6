"""`/changes`: what changed between two times."""

from __future__ import annotations

from datetime import timedelta

from inventory import read_model
from inventory.read_model import Key
from inventory.web.pages import said
from inventory.web.pages.asked import Asked
from inventory.web.pages.said import Said
from inventory.web.pages.sheet import Sheet
from inventory.web.words import KINDS

PATH = "/changes"
PARAMETERS = ("since", "until", "kind", "account", "after")
LATELY = timedelta(days=7)
LATEST = [Key("changed_at", True), Key("account_id", True), Key("position", True)]  # noqa: FBT003
"""The order of lists of changes."""


def show(asked: Asked) -> Sheet:
    """Changes in [since, until), of the last days where nothing is said; latest first."""
    since = asked.instant("since") or asked.now - LATELY
    until = asked.instant("until")
    kind, account = asked.choice("kind", list(KINDS)), asked.text("account")
    wanted = read_model.changes(
        since=since, until=until, kind=[kind] if kind else (), account=account
    )
    rows, following = asked.rows(wanted, LATEST)
    return Sheet(
        "changes.html",
        Said(
            said.command("change", "list", since=since, until=until, kind=kind, account=account),
            said.query(
                "change",
                [
                    *said.within("changed_at", since, until),
                    *said.equal(kind=kind, account_id=account),
                ],
                "changed_at DESC, account_id, position DESC",
            ),
            asked.url("/api/v1/changes", since=since, until=until),
        ),
        {
            "rows": rows,
            "following": following,
            "differences": read_model.differences(asked.connection, rows),
            "since": since,
            "until": until,
            "kind": kind,
            "account": account,
            "kinds": KINDS,
            "counts": read_model.changes_since(asked.connection, [since], until, account=account),
        },
    )
