"""`/search`: a number by its id, or by its E.164 number in any spelling."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from inventory import read_model
from inventory.web.pages import said
from inventory.web.pages.asked import Asked
from inventory.web.pages.number import address_of
from inventory.web.pages.said import Said
from inventory.web.pages.sheet import Sheet

PATH = "/search"
PARAMETERS = ("q",)


def show(asked: Asked) -> Sheet | Response:
    """The number that is meant; all of them where several are; what to try where none is."""
    sought = (asked.text("q") or "").strip()
    try:
        keys = read_model.identities(asked.connection, sought) if sought else []
    except read_model.NumberUnknown:
        keys = []
    if len(keys) == 1:
        return RedirectResponse(address_of(*keys[0]), 303)
    versions = asked.connection.execute(read_model.history(keys)).all() if keys else []
    latest = {(row.account_id, row.phone_number_id): row for row in versions}
    return Sheet(
        "search.html",
        Said(
            said.command("number", "history", sought),
            said.query(
                "contact_center_number_version",
                said.equal(phone_number=sought or None),
                "account_id, valid_from",
            ),
            None,
        ),
        {"sought": sought, "found": [(*key, latest.get(key)) for key in keys]},
        200 if keys or not sought else 404,
    )
