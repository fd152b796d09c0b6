"""What a page is asked: its address, taken apart, and what it may look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, urlencode

from sqlalchemy import Connection, Row, Select
from starlette.requests import Request

from inventory.access import Bearer
from inventory.errands import Errands
from inventory.read_model import Key, after, ordered
from inventory.settings import Settings, duration
from inventory.web.pages import cursor
from inventory.web.problem import Problem
from inventory.web.words import iso

ROWS = 50
"""On one page of a list."""
AFTER = "after"
"""The parameter that says where a page of a list begins."""


@dataclass(frozen=True)
class Asked:
    """One request for a page, and one snapshot to answer it from."""

    request: Request
    connection: Connection
    knows: Sequence[str]
    """Parameters that the page has."""
    now: datetime
    errands: Errands
    settings: Settings

    @cached_property
    def given(self) -> Mapping[str, str]:
        """
        The parameters, each given once and known to the page.

        Raises:
            Problem: 422, they are not.
        """
        return parameters(self.request.url.query, self.knows)

    @property
    def bearer(self) -> Bearer | None:
        """Who asks; null: whoever is on this machine."""
        bearer: Bearer | None = self.request.state.bearer
        return bearer

    def text(self, name: str) -> str | None:
        """A parameter as it was given; null: it was not."""
        return self.given.get(name)

    def choice(self, name: str, choices: Sequence[str]) -> str | None:
        """A parameter that is one of *choices*; null: it was not given."""
        value = self.given.get(name) or None
        if value is not None and value not in choices:
            raise Problem(422, f"expected {name} to be one of {', '.join(choices)}")
        return value

    def instant(self, name: str) -> datetime | None:
        """A parameter that is a time, ISO 8601 or `-7d`; null: it was not given, or left empty."""
        value = self.given.get(name)
        return instant(name, value, self.now) if value else None

    @property
    def clocks(self) -> dict[str, datetime | None]:
        """When it was true, and when it was known; null: now."""
        return {"at": self.instant("at"), "known_at": self.instant("known_at")}

    def path(self, name: str) -> str:
        """A part of the path."""
        value = str(self.request.path_params[name])
        if "\0" in value:
            raise Problem(422, "expected a path without a zero byte")
        return value

    def url(self, path: str | None = None, /, **changes: str | datetime | None) -> str:
        """The address of this page with parameters changed; those that become null go."""
        kept: dict[str, str | datetime | None] = {**self.given, AFTER: None, **changes}
        return address(path or self.request.url.path, **kept)

    def rows(self, query: Select[Any], key: Sequence[Key]) -> tuple[Sequence[Row[Any]], str | None]:
        """
        The page's rows of *query* in the order of *key*, and the address of the next page.

        Null: there is no next page.
        """
        query = ordered(query, key)
        where = self.given.get(AFTER)
        if where is not None:
            types = [query.selected_columns[each.name].type.python_type for each in key]
            query = after(query, key, cursor.read(where, types))
        found = self.connection.execute(query.limit(ROWS + 1)).all()
        if len(found) <= ROWS:
            return found, None
        last = found[ROWS - 1]._mapping
        return found[:ROWS], self.url(after=cursor.write([last[each.name] for each in key]))


def parameters(query: str, knows: Sequence[str]) -> Mapping[str, str]:
    """
    The parameters in a query string or a form.

    Raises:
        Problem: 422, one is unknown, given twice, or cannot be.
    """
    given: dict[str, str] = {}
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=50)
    except ValueError:
        raise Problem(422, "expected parameters in UTF-8, no more than 50") from None
    for name, value in pairs:
        if name not in knows:
            known = ", ".join(name for name in knows if name != AFTER)
            raise Problem(
                422, f"expected parameters of this page ({known or 'none'}), found {name!r}"
            )
        if name in given:
            raise Problem(422, f"expected {name} once, found it twice")
        if "\0" in value:
            raise Problem(422, f"expected {name} without a zero byte")
        given[name] = value
    return given


def instant(name: str, value: str, now: datetime) -> datetime:
    """
    The time that somebody means.

    Raises:
        Problem: 422, it is none.
    """
    try:
        if value.startswith("-") and isinstance(ago := duration(value[1:]), timedelta):
            return now - ago
        read = datetime.fromisoformat(value)
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Problem(
            422, f"expected {name} in ISO 8601 or a time ago such as -7d, found {value!r}"
        ) from None


def address(path: str, /, **parameters: str | datetime | None) -> str:
    """A path with its parameters; those that are null are left out."""
    given = {
        name: iso(value) if isinstance(value, datetime) else value
        for name, value in parameters.items()
        if value is not None
    }
    return f"{path}?{urlencode(given)}" if given else path
