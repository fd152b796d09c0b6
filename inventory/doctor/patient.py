"""The installation that is examined, and what a check of it is."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import NamedTuple

import psycopg

from inventory.database import Database
from inventory.doctor.judgement import Judgement
from inventory.ringcentral import RingCentral, Subscription
from inventory.settings import Settings
from inventory.subscription import shown_address


class Patient:
    """
    The installation.

    Checks leave here what they opened; `Check.needs` sees to it that it is there.

    Args:
        load: Loads the settings.
        opened: What is open for as long as the examination lasts.
    """

    settings: Settings
    database: Database
    connection: psycopg.Connection
    ringcentral: RingCentral
    subscription: Subscription

    def __init__(self, load: Callable[[], Settings], opened: ExitStack) -> None:
        self.load = load
        self.opened = opened

    @property
    def embedded(self) -> bool:
        return self.settings.database_url is None

    @property
    def address(self) -> str:
        """Where RingCentral delivers; may hold a secret."""
        given = self.settings.webhook_url
        return "" if given is None else given.get_secret_value()

    @property
    def shown_address(self) -> str:
        return shown_address(self.address) or ""


class Check(NamedTuple):
    """One thing that can be wrong."""

    name: str
    needs: tuple[str, ...]
    """Checks that must have gone well before."""
    look: Callable[[Patient], Judgement]
