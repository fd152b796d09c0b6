"""Defects, planted into an answer one at a time."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

NOTHING = object()
REQUIRED = {
    *("access_token", "expires_in", "scope", "token_type", "session_id", "ws_access_token"),
    *("uri", "id", "phoneNumber", "usageType", "records", "paging", "navigation", "perPage"),
    *("successful", "status", "eventFilters", "deliveryMode", "creationTime", "expirationTime"),
    *("transportType", "encryption", "filter", "reason", "errors", "errorCode", "resourceId"),
}
"""Members that must be there wherever they are."""
CONSTRAINED = {
    *("usageType", "paymentType", "type", "token_type", "transportType", "address", "error"),
    *("creationTime", "expirationTime", "blacklistedAt"),
}
"""Members of which not every text will do."""


def defects(body: Any, status: int) -> Iterator[tuple[str, Any]]:
    """*body* with one thing wrong: a value of another type, a member missing, one too many."""
    for place in places(body):
        if is_free(place, status):
            continue
        another = "planted" if isinstance(at(body, place), dict) else {"planted": True}
        yield f"another type of {place}", put(body, place, another)
        if place[-1] in CONSTRAINED:
            yield f"another value of {place}", put(body, place, "planted")
        if place[-1] in REQUIRED:
            yield f"no {place}", put(body, place, NOTHING)
    for whole in [(), *places(body)] if status < 400 else []:
        node = at(body, whole)
        if isinstance(node, dict) and "errorCode" not in node:  # errors are open
            yield f"one more in {whole}", put(body, (*whole, "planted"), True)


def is_free(place: tuple[Any, ...], status: int) -> bool:
    """Whether an error may say anything there: what it says at its top once more, for instance."""
    if status < 400 and not {"errorCode", "message", "parameterName"} & set(place):
        return False
    return place != ("error",) and ("errors" not in place or place[-1] == "parameterName")


def places(body: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where every value in *body* is."""
    below = body.items() if isinstance(body, dict) else enumerate(body)
    for step, value in below:
        yield (*above, step)
        if isinstance(value, (dict, list)):
            yield from places(value, (*above, step))


def at(body: Any, place: tuple[Any, ...]) -> Any:
    for step in place:
        body = body[step]
    return body


def put(body: Any, place: tuple[Any, ...], value: Any) -> Any:
    """*body* with *value* there, or nothing."""
    changed = copy.deepcopy(body)
    node = at(changed, place[:-1])
    if value is NOTHING:
        del node[place[-1]]
    else:
        node[place[-1]] = value
    return changed
