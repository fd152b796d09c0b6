"""What people type, read: instants, and the two clocks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import click

from inventory.settings import duration

Function = TypeVar("Function", bound=Callable[..., Any])


class Instant(click.ParamType[datetime]):
    """A point in time: ISO 8601, UTC unless it says otherwise, or `-7d`: so long ago."""

    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        if isinstance(value, datetime):
            return value
        if value.startswith("-"):
            ago = duration(value[1:])
            if isinstance(ago, timedelta):
                return datetime.now(UTC) - ago
        try:
            instant = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"expected ISO 8601 or a time ago such as -7d, got {value!r}", param, ctx)
        return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


INSTANT = Instant()


def clocks(function: Function) -> Function:
    """`--at` and `--known-at`: when it was true, and when we knew."""
    at = click.option("--at", type=INSTANT, help="As it was then.")
    known_at = click.option("--known-at", type=INSTANT, help="From what was known then.")
    return at(known_at(function))
