"""The reads that there are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select

from inventory import read_model
from inventory.read_model import Key, NumberUnknown
from inventory.web.api import parameters as p
from inventory.web.api.read import Find, Read
from inventory.web.problem import Problem

NUMBER = (Key("account_id"), Key("phone_number_id"))
CLOCKS = (p.AT, p.KNOWN_AT)
PAGES = (p.LIMIT, p.CURSOR, p.FORMAT)
LATEST_FIRST = (
    Key("changed_at", descending=True),
    Key("account_id"),
    Key("position", descending=True),
)


def _of(query: Callable[..., Select[Any]]) -> Find:
    """Finds by *query*, whose parameters have the names of ours."""

    def find(connection: Connection, asked: Mapping[str, Any]) -> Select[Any]:
        wanted = dict(asked)
        if "q" in wanted:
            wanted["keys"] = _numbers_called(connection, wanted.pop("q"), wanted.get("account"))
        if "all" in wanted:
            wanted["everything"] = wanted.pop("all")
        return query(**wanted)

    return find


def _numbers_called(
    connection: Connection, number: str, account: str | None
) -> list[tuple[str, str]]:
    try:
        return read_model.identities(connection, number, account=account)
    except NumberUnknown:
        return []


def _keys(connection: Connection, asked: Mapping[str, Any]) -> list[tuple[str, str]]:
    """
    The numbers that the path names.

    Raises:
        Problem: 404, no event speaks of such a number.
    """
    try:
        return read_model.identities(connection, asked["id"], account=asked.get("account"))
    except NumberUnknown as error:
        raise Problem(404, str(error)) from None


def _numbers(**wanted: Any) -> Select[Any]:
    if "at" in wanted or "known_at" in wanted:
        return read_model.numbers_as_of(
            wanted.pop("at", None), wanted.pop("known_at", None), **wanted
        )
    return read_model.numbers(**wanted)


def _number(connection: Connection, asked: Mapping[str, Any]) -> Select[Any]:
    clocks = {name: asked[name] for name in ("at", "known_at") if name in asked}
    return _numbers(keys=_keys(connection, asked), **clocks)


def _history(connection: Connection, asked: Mapping[str, Any]) -> Select[Any]:
    return read_model.history(
        _keys(connection, asked), at=asked.get("at"), known_at=asked.get("known_at")
    )


def _columns(query: Select[Any]) -> Sequence[Any]:
    return tuple(query.selected_columns)


_NOW, _THEN = _columns(read_model.numbers()), _columns(read_model.numbers_as_of(None, None))
ONLY_NOW = frozenset(c.name for c in _NOW) - frozenset(c.name for c in _THEN)
"""What the current inventory says of a number beyond its attributes."""

READS = (
    Read(
        "/api/v1/numbers",
        "numbers",
        "The inventory: every number in Contact Center, now or at another time.",
        (
            *(p.ACCOUNT, p.PROVIDER, p.STATUS, p.USAGE_TYPE, p.PREFIX, p.CHANGED_SINCE, p.Q),
            *(*CLOCKS, *PAGES),
        ),
        _of(_numbers),
        NUMBER,
        _NOW,
        sometimes=ONLY_NOW,
    ),
    Read(
        "/api/v1/numbers/{id}",
        "number",
        "One number, by its id or by its E.164 number in any spelling; 404 if it is not in.",
        (p.ACCOUNT, *CLOCKS, p.FORMAT),
        _number,
        NUMBER,
        _NOW,
        sometimes=ONLY_NOW,
        one=True,
    ),
    Read(
        "/api/v1/numbers/{id}/history",
        "history",
        "Every version of a number, oldest first: what it was, from when until when. At another "
        "time those that had begun, without the ends that were to come.",
        (p.ACCOUNT, *CLOCKS, *PAGES),
        _history,
        (Key("account_id"), Key("valid_from"), Key("phone_number_id")),
        _columns(read_model.history([])),
    ),
    Read(
        "/api/v1/changes",
        "changes",
        "What changed, latest first. At another time what had changed by then, as known then.",
        (p.SINCE, p.UNTIL, p.KIND, p.ACCOUNT, p.Q, *CLOCKS, *PAGES),
        _of(read_model.changes),
        LATEST_FIRST,
        _columns(read_model.changes()),
    ),
    Read(
        "/api/v1/reassignments",
        "reassignments",
        "What moved, latest first: into Contact Center, between providers, or away. At another "
        "time what had moved by then, as known then.",
        (
            *(p.SINCE, p.UNTIL, p.KIND_OF_REASSIGNMENT, p.FROM_PROVIDER, p.TO_PROVIDER),
            *(p.ACCOUNT, p.Q, *CLOCKS, *PAGES),
        ),
        _of(read_model.reassignments),
        LATEST_FIRST,
        _columns(read_model.reassignments()),
    ),
    Read(
        "/api/v1/providers",
        "providers",
        "Every provider that ever had a number, and how many it has. At another time those that "
        "had had one by then, and how many they had.",
        (p.ACCOUNT, *CLOCKS, *PAGES),
        _of(read_model.providers),
        (Key("account_id"), Key("provider_id", nullable=True)),
        _columns(read_model.providers()),
    ),
    Read(
        "/api/v1/events",
        "events",
        "The log, by account and position, without the payloads. At another time those events "
        "that had occurred by then, and those recorded by then.",
        (p.SINCE, p.UNTIL, p.EVENT_TYPE, p.ORIGIN, p.ACCOUNT, p.Q, *CLOCKS, *PAGES),
        _of(read_model.events),
        (Key("account_id"), Key("position")),
        _columns(read_model.events()),
    ),
    Read(
        "/api/v1/reconciliations",
        "reconciliations",
        "Reconciliation runs, latest first. At another time those that had begun; of one that had "
        "not ended it is not told how it would.",
        (p.ACCOUNT, p.OUTCOME, *CLOCKS, *PAGES),
        _of(read_model.reconciliations),
        (Key("id", descending=True),),
        _columns(read_model.reconciliations()),
        from_log=False,
    ),
    Read(
        "/api/v1/quarantine",
        "quarantine",
        "What arrived and could not be an event, and is open; without the payloads. At another "
        "time what was open then.",
        (p.REASON, p.EVERYTHING, *CLOCKS, *PAGES),
        _of(read_model.quarantined),
        (Key("id"),),
        _columns(read_model.quarantined()),
        from_log=False,
        reader="inventory_app",
    ),
)
