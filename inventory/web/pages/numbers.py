"""`/numbers`: the inventory, now or as it was, by what it can be told apart by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select

from inventory import read_model
from inventory.read_model import Facet, Key
from inventory.web.pages import said
from inventory.web.pages.asked import Asked
from inventory.web.pages.said import Said
from inventory.web.pages.sheet import Sheet

PATH = "/numbers"
FILTERS = {
    "provider": "provider_id",
    "status": "status",
    "usage_type": "usage_type",
    "account": "account_id",
}
PARAMETERS = (*FILTERS, "at", "known_at", "sort", "after")
SORTS = {
    "phone_number": "phone_number",
    "provider": "provider_name",
    "status": "status",
    "location": "location",
    "since": "valid_from",
}


def show(asked: Asked) -> Sheet:
    """The numbers that were asked for, and how many there would be if others were."""
    wanted = {name: asked.text(name) for name in FILTERS}
    clocks = asked.clocks
    sort = asked.choice("sort", [mark + name for mark in ("", "-") for name in SORTS])
    of_now = clocks["known_at"] is None
    column = SORTS[(sort or "phone_number").removeprefix("-")]
    descending = (sort or "").startswith("-")
    if column == "valid_from" and not of_now:
        column = "phone_number"  # of what was known at another time it is not told
    key = [
        Key(column, descending, nullable=column != "valid_from"),
        Key("account_id", descending),
        Key("phone_number_id", descending),
    ]
    rows, following = asked.rows(_numbers(asked, wanted), key)
    total: int | None = None
    facets: Sequence[Facet] = ()
    if of_now:
        columns = {FILTERS[name]: value for name, value in wanted.items()}
        everything = _numbers(asked, dict.fromkeys(FILTERS))
        total, facets = read_model.facets(asked.connection, everything, columns)
    return Sheet(
        "numbers.html",
        _said(asked, wanted),
        {
            "rows": rows,
            "following": following,
            "total": total,
            "facets": facets,
            "parameter_of": {column: name for name, column in FILTERS.items()},
            "wanted": wanted,
            **clocks,
            "sort": sort or "phone_number",
            "names": {
                count.value: count.name
                for facet in facets
                for count in facet.counts
                if count.name is not None
            },
        },
    )


def _numbers(asked: Asked, wanted: Mapping[str, Any]) -> Select[Any]:
    """The inventory at the time that is asked for; from what is known now it is told sooner."""
    at, known_at = asked.clocks.values()
    if known_at is not None:
        return read_model.numbers_as_of(at, known_at, **wanted)
    if at is not None:
        return read_model.numbers_at(at, **wanted)
    return read_model.numbers(**wanted)


def _said(asked: Asked, wanted: dict[str, str | None]) -> Said:
    return Said(
        said.command("number", "list", **wanted, **asked.clocks),
        said.query(
            said.as_of(**asked.clocks) or "contact_center_number",
            said.equal(**{FILTERS[name]: value for name, value in wanted.items()}),
            "account_id, phone_number, phone_number_id",
        ),
        asked.url("/api/v1/numbers", sort=None, **asked.clocks),
    )
