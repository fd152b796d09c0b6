"""What the functions `…_as_of` say, as queries: their bodies, with other clocks."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import cache
from typing import Any, Literal

from sqlalchemy import TextualSelect, column, text

from inventory import migration

EVER = "infinity"
"""Later than any event. All that there is, is what is known now and what is true now."""


def folded(
    function: Literal["number_as_of", "version_as_of"],
    at: datetime | None,
    known_at: datetime | None,
    columns: Iterable[Any],
) -> TextualSelect:
    """
    The query that *function* is, of the events *at* one time and known at another; null: whatever.

    Not a call of it: PostgreSQL would put the body in its place, so that conditions reach the log's
    index; Citus would not, and asks every node for everything before it applies them.
    """
    query = text(_body(function)).bindparams(
        at=EVER if at is None else at, known_at=EVER if known_at is None else known_at
    )
    return query.columns(*(column(each.name, each.type) for each in columns))


@cache
def _body(function: str) -> str:
    """The body of *function*, as its migration has it, with parameters for its arguments."""
    file = migration.migrations() / "sql" / f"{function}_v1.sql"
    _, body, _ = file.read_text(encoding="utf-8").split("$$")
    for argument in ("at", "known_at"):
        body = body.replace(f"{function}.{argument}", f"CAST(:{argument} AS timestamptz)")
    return body
