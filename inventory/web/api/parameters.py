"""Parameters: what can be asked along with a question, one value a name, or a clear error."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, get_args

from inventory.event import EventType, Origin
from inventory.lifecycle import Kind
from inventory.notification import Reason
from inventory.read_model import REASSIGNMENTS
from inventory.web.api import values
from inventory.web.api.media import NAMED
from inventory.web.api.values import INSTANT, Value, one_of, some_of, text
from inventory.web.problem import Problem

USUAL = 100
"""Rows of a page, unless it is said how many."""


class Parameter(NamedTuple):
    """Something that can be asked: its name, the rows it asks for, and the values it takes."""

    name: str
    description: str
    value: Value


def read_query(given: Iterable[tuple[str, str]], parameters: Sequence[Parameter]) -> dict[str, Any]:
    """
    What was asked, by the parameters' names.

    Raises:
        Problem: 422, with everything that is wrong: unknown names, repeated ones, unusable values.
    """
    known = {parameter.name: parameter for parameter in parameters}
    asked: dict[str, Any] = {}
    errors = {}
    for name, written in given:
        if name not in known:
            errors[name] = f"expected one of {', '.join(known)}"
        elif name in asked:
            errors[name] = "expected it once, found it again"
        else:
            asked[name] = None
            try:
                asked[name] = known[name].value.read(written)
            except ValueError as error:
                errors[name] = str(error)
    if errors:
        raise unusable(errors)
    return asked


def unusable(errors: Mapping[str, str]) -> Problem:
    """The problem, 422, that these parameters are wrong, and why each is."""
    name, detail = next(iter(errors.items()))
    more = f"; and {len(errors) - 1} more" if len(errors) > 1 else ""
    return Problem(
        422,
        f"{values.shown(name)}: {detail}{more}",
        errors=[{"parameter": name, "detail": detail} for name, detail in errors.items()],
    )


NONE_OR_TEXT = text(r"[^\x00]*", "a text or nothing")
ACCOUNT = Parameter("account", "of this account only", text("[0-9]{1,32}", "digits", 32))
PROVIDER = Parameter("provider", "of the provider with this id only; empty: of none", NONE_OR_TEXT)
STATUS = Parameter(
    "status", "of this status only, such as Normal or Pending; empty: of none", NONE_OR_TEXT
)
USAGE_TYPE = Parameter("usage_type", "of this usage type only; empty: of none", NONE_OR_TEXT)
PREFIX = Parameter("prefix", "whose E.164 number begins with these digits", values.PREFIX)
CHANGED_SINCE = Parameter(
    "changed_since", "that have been as they are since this instant or later", INSTANT
)
Q = Parameter(
    "q",
    "of one number: its id, or an E.164 number in any spelling that it has or ever had",
    text(called="an id or a phone number"),
)
AT = Parameter(
    "at", "as it was at this instant: of the events that had occurred until then", INSTANT
)
KNOWN_AT = Parameter(
    "known_at", "as it was known at this instant: of the events recorded until then", INSTANT
)
SINCE = Parameter("since", "that happened at this instant or later", INSTANT)
UNTIL = Parameter("until", "that happened before this instant", INSTANT)
KIND = Parameter("kind", "of these kinds only, commas between them", some_of(get_args(Kind)))
KIND_OF_REASSIGNMENT = KIND._replace(value=some_of(REASSIGNMENTS))
FROM_PROVIDER = Parameter(
    "from_provider", "away from the provider with this id; empty: from none", NONE_OR_TEXT
)
TO_PROVIDER = Parameter("to_provider", "to the provider with this id; empty: to none", NONE_OR_TEXT)
EVENT_TYPE = Parameter("event_type", "of this type only", one_of(get_args(EventType)))
ORIGIN = Parameter("origin", "of this origin only", one_of(get_args(Origin)))
OUTCOME = Parameter(
    "outcome", "that ended so", one_of(("complete", "incomplete", "refused", "failed"))
)
REASON = Parameter("reason", "there for this reason only", one_of(get_args(Reason)))
EVERYTHING = Parameter("all", "also what was resolved", values.TRUTH)
LIMIT = Parameter(
    "limit",
    f"at most so many rows; left out: {USUAL} a page of JSON, all there are in CSV and NDJSON",
    values.LIMIT,
)
FORMAT = Parameter(
    "format", "the form of the answer, whatever Accept says: for links", one_of(tuple(NAMED))
)
CURSOR = Parameter(
    "cursor",
    "what comes after a page: its `next`, with all else asked as it was for that page",
    text("[A-Za-z0-9_-]+", "the `next` of a page", 2000, format="cursor"),
)
