"""What people type, read: instants, lengths of time, and the two clocks."""

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
        try:
            if value.startswith("-") and isinstance(ago := duration(value[1:]), timedelta):
                return datetime.now(UTC) - ago
            instant = datetime.fromisoformat(value)
        except (ValueError, OverflowError):
            self.fail(f"expected ISO 8601 or a time ago such as -7d, got {value!r}", param, ctx)
        if instant.tzinfo is None:
            return instant.replace(tzinfo=UTC)
        try:
            # PostgreSQL knows no offset of sixteen hours and more.
            return instant.astimezone(UTC)
        except OverflowError:
            return instant.replace(tzinfo=UTC)  # within hours of the first or the last day there is


class Duration(click.ParamType[timedelta]):
    """A length of time: `90d`, `12h`; longer than nothing."""

    name = "duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        try:
            length = duration(value)
        except ValueError:
            length = value
        if not isinstance(length, timedelta) or length <= timedelta(0):
            self.fail(f"expected a length of time such as 90d or 12h, got {value!r}", param, ctx)
        return length


INSTANT = Instant()
DURATION = Duration()


def clocks(function: Function) -> Function:
    """`--at` and `--known-at`: when it was true, and when we knew."""
    at = click.option("--at", type=INSTANT, help="As it was then.")
    known_at = click.option("--known-at", type=INSTANT, help="From what was known then.")
    return at(known_at(function))
