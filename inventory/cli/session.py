"""What every command starts from: the settings in force, and the database they name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import click

from inventory import settings
from inventory.database import Database
from inventory.settings import Settings


class Session:
    """One run of the command line."""

    def __init__(self, flags: dict[str, Any]) -> None:
        self._flags = flags

    @cached_property
    def settings(self) -> Settings:
        return settings.load(**self._flags)

    @contextmanager
    def database(self) -> Iterator[Database]:
        """
        The database, its schema current.

        The embedded one is nobody's but ours, and is brought up to date by whoever comes first; one
        that was given is upgraded by `inventory db upgrade` alone.
        """
        with Database.open(self.settings) as database:
            if database.binaries is not None:
                database.upgrade()
            else:
                database.require_schema()
            yield database


pass_session = click.make_pass_decorator(Session)
