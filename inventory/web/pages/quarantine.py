"""`/quarantine`: what arrived and could not be an event."""

from __future__ import annotations

from inventory import read_model
from inventory.read_model import Key
from inventory.web.pages import said
from inventory.web.pages.asked import Asked
from inventory.web.pages.said import Said
from inventory.web.pages.sheet import Sheet

PATH = "/quarantine"
PARAMETERS = ("reason", "state", "after")
OLDEST = [Key("id")]


def show(asked: Asked) -> Sheet:
    """What is open, or all that ever was in quarantine, by reason."""
    reason, everything = asked.text("reason"), asked.choice("state", ["all"]) == "all"
    wanted = read_model.quarantined(everything=everything, reason=reason)
    rows, following = asked.rows(wanted, OLDEST)
    counts = read_model.quarantined_by_reason(asked.connection, everything=everything)
    words = ("quarantine", "list", *(("--all",) if everything else ()))
    return Sheet(
        "quarantine.html",
        Said(
            said.command(*words, reason=reason),
            said.query(
                "quarantine",
                [*(() if everything else ("resolved_at IS NULL",)), *said.equal(reason=reason)],
                "id",
                columns="id, received_at, source, reason, detail, arrivals, resolution",
            ),
            asked.url("/api/v1/quarantine", state=None, all="true" if everything else None),
        ),
        {
            "rows": rows,
            "following": following,
            "counts": counts,
            "total": sum(row["items"] for row in counts),
            "reason": reason,
            "everything": everything,
            "may_operate": asked.bearer is not None and asked.bearer.may("operate"),
        },
    )
