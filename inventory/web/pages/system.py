"""`/system`: what the machinery stands at."""

from __future__ import annotations

from importlib.metadata import version

from cronsim import CronSim

from inventory import migration, read_model
from inventory.web.pages import said
from inventory.web.pages.asked import Asked
from inventory.web.pages.said import Said
from inventory.web.pages.sheet import Sheet

PATH = "/system"
PARAMETERS = ()


def show(asked: Asked) -> Sheet:
    """What runs, how far each account's log is, and what RingCentral was asked to tell us."""
    connection = asked.connection
    faults = asked.errands.faults()
    schedule = asked.settings.reconcile_schedule if "reconciliation" in faults else None
    return Sheet(
        "system.html",
        Said(
            said.command("projection", "status"),
            said.query("freshness", [], "account_id"),
            None,
        ),
        {
            "faults": faults,
            "freshness": connection.execute(read_model.freshness()).all(),
            "heads": {row.account_id: row for row in connection.execute(read_model.accounts())},
            "subscriptions": connection.execute(read_model.subscriptions()).all(),
            "schedule": schedule,
            "mode": asked.settings.reconcile_mode,
            "next_tick": next(CronSim(schedule, asked.now)) if schedule else None,
            "package": version("inventory"),
            "revision": migration.revision(connection),
            "server": read_model.server_version(connection),
        },
    )
