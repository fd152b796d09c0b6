"""What goes on beside receiving, each in a thread of its own: woken, and every so often anyway."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from inventory import ringcentral
from inventory.confirmation import confirm
from inventory.database import Database
from inventory.projector.follower import LOOK, REST, Follower
from inventory.reconciliation import Schedule
from inventory.ringcentral import Budget, RingCentral
from inventory.settings import Settings
from inventory.subscription import Keeper
from inventory.worker import Worker

POLL = 240.0
"""Seconds between looks at the subscription: RingCentral tells nobody that it ended it."""
DOUBT = 30.0
"""Seconds between looks for numbers in doubt."""
DUE = 5.0
"""Seconds between looks whether a reconciliation is due, or was asked for."""
STOPPED = 300.0
"""
Seconds after which a projector that has not ended its turn counts as stopped, not as busy: with
nothing to fold a turn takes milliseconds, and one over a million events less than a minute.
"""


class Errands:
    """
    The projector; and, as far as the settings allow, subscription, doubts and reconciliation.

    Args:
        database: Where it all happens.
        settings: With access to RingCentral, doubts are dispelled, and a schedule is followed;
            with the receiver's address, the subscription is kept, too.
        poll: Seconds between looks at the subscription.
        doubt: Seconds between looks for numbers in doubt.
        stopped: Seconds after which a projector that has not ended its turn counts as stopped.
    """

    def __init__(
        self,
        database: Database,
        settings: Settings,
        *,
        poll: float = POLL,
        doubt: float = DOUBT,
        stopped: float = STOPPED,
    ) -> None:
        self._database = database
        self._open = ExitStack()
        follower = self._open.enter_context(Follower(database.connect))
        self._projector = Worker("projector", follower.turn, every=LOOK, rest=REST, within=stopped)
        self._workers = [self._projector]
        self._keeper: Worker | None = None
        self._client: RingCentral | None = None
        if ringcentral.configured(settings):
            client = self._open.enter_context(ringcentral.from_settings(settings))
            self._client = client
            self._workers.append(Worker("confirmation", self._confirm(client), every=doubt))
            if settings.reconcile_schedule:
                schedule = Schedule(client, settings.reconcile_schedule, settings.reconcile_mode)
                turn = self._reconcile(schedule)
                self._workers.append(Worker("reconciliation", turn, every=DUE))
            if settings.webhook_url is not None:
                keeper = Keeper(
                    client,
                    address=settings.webhook_url.get_secret_value(),
                    token=next(iter(settings.webhook_tokens), None),
                )
                self._keeper = Worker("subscription", self._keep(keeper), every=poll, rest=1.0)
                self._workers.append(self._keeper)

    def start(self) -> None:
        """Begin."""
        for worker in self._workers:
            worker.start()

    def stop(self) -> None:
        """End, each after the piece of work in hand."""
        for worker in self._workers:
            worker.stop()
        self._open.close()

    def appended(self) -> None:
        """There is something new in the log."""
        self._projector.wake()

    def reminded(self) -> None:
        """The subscription is about to end."""
        if self._keeper is not None:
            self._keeper.wake()

    def faults(self) -> dict[str, str | None]:
        """What each is failing at, by name; null: nothing."""
        return {worker.name: worker.fault for worker in self._workers}

    def budgets(self) -> dict[str, Budget]:
        """What is left of RingCentral's rate limits, by group; none without access to it."""
        return {} if self._client is None else self._client.budgets

    def _confirm(self, client: RingCentral) -> Callable[[Callable[[], bool]], None]:
        def turn(stopped: Callable[[], bool]) -> None:
            with self._database.connect(autocommit=True) as connection:
                if confirm(connection, client, stopped=stopped).appended:
                    self._projector.wake()

        return turn

    def _reconcile(self, schedule: Schedule) -> Callable[[Callable[[], bool]], None]:
        def turn(_: Callable[[], bool]) -> None:
            with self._database.connect(autocommit=True) as connection:
                if schedule.run_due(connection) is not None:
                    self._projector.wake()

        return turn

    def _keep(self, keeper: Keeper) -> Callable[[Callable[[], bool]], None]:
        def turn(_: Callable[[], bool]) -> None:
            with self._database.connect(autocommit=True) as connection:
                keeper.ensure(connection)

        return turn
