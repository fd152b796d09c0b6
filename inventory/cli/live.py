"""`inventory demo --live`: inventory beside a simulated RingCentral, and whether they agree."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

from pydantic import SecretStr
from rich.console import Console
from rich.live import Live as Screen
from rich.panel import Panel
from rich.table import Table
from rich.text import Text
from sqlalchemy import func, select

from inventory import read_model, web
from inventory.cli.listening import address_of, listening, served
from inventory.database import Database
from inventory.errors import InventoryError
from inventory.ingest import Outcome
from inventory.redaction import redact
from inventory.settings import Settings
from inventory.simulator import Churn, Faults, Limits, Platform, Simulator

RATE = 8.0
"""Changes a second. One in eight leaves a number in doubt, and that costs a request."""
NUMBERS = 40
"""Numbers to begin with; none is Contact Center's, since nobody would tell of those."""
FAULTS = Faults(duplicate=0.2, delay=0.3, delay_seconds=2.0, corrupt=0.1, refuse=0.1, throttle=0.02)
MINUTE = 3.0
"""Seconds: what the rate limits, 50 requests for one, and the penalty take for a minute."""
DOUBT = 1.0
POLL = 5.0
"""Seconds between looks for doubts, and at the subscription; a minute is not long."""
SUBSCRIBED_WITHIN = 60.0
QUIET_WITHIN = 120.0
GLANCE = 0.1


class NotQuiet(InventoryError):
    """What was under way did not come to an end."""


class Disagreement(InventoryError):
    """Inventory and RingCentral do not have the same numbers."""

    def __init__(self, differences: list[str]) -> None:
        super().__init__(
            "expected inventory and RingCentral to agree, found numbers in which they differ:\n"
            + "\n".join(differences)
        )


class Held(NamedTuple):
    """What either side has of a number in Contact Center."""

    phone_number: str
    provider_id: str | None


class State(NamedTuple):
    """Where the inventory is."""

    numbers: dict[str, Held]
    """By id."""
    in_doubt: int
    confirmed: int
    lag: int


class Live:
    """
    Inventory and a simulated RingCentral at work on each other.

    Args:
        database: Where the inventory is.
        simulator: RingCentral.
        churn: What happens there.
    """

    def __init__(self, database: Database, simulator: Simulator, churn: Churn) -> None:
        self._database = database
        self._simulator = simulator
        self._churn = churn
        self.platform = simulator.platform
        self.received = Outcome()
        self.trouble = ""
        """The latest thing that went wrong, in inventory's words."""

    def take(self, outcome: Outcome) -> None:
        """Count what became of deliveries."""
        self.received += outcome

    def subscribed(self) -> None:
        """Come back when RingCentral has somebody to tell."""
        _wait(lambda: self.platform.subscriptions, SUBSCRIBED_WITHIN, "expected a subscription")

    def go_on(self, seconds: float, show: Callable[[str], None]) -> None:
        """Let things happen, and go wrong, for so long."""
        self.platform.faults = FAULTS.model_copy()
        begun = time.monotonic()
        while (passed := time.monotonic() - begun) < seconds:
            self._simulator.call(self._churn.step)
            show(f"{passed:.0f} of {seconds:.0f} s")
            time.sleep(1 / RATE)

    def settle(self, show: Callable[[str], None]) -> None:
        """Let nothing more happen, and come back when all of it has been taken in."""
        self._simulator.drain()

        def quiet() -> bool:
            show("nothing more happens")
            state = self.state()
            return state.lag == 0 and state.in_doubt == 0

        _wait(quiet, QUIET_WITHIN, "expected every doubt to be dispelled")
        show("quiet")

    def compare(self) -> int:
        """
        The numbers that both have; they are the same.

        Raises:
            Disagreement: They are not.
        """
        theirs = self._simulator.call(self._theirs)
        ours = self.state().numbers
        found = [
            f"number {id_} ({(theirs.get(id_) or ours[id_]).phone_number}): "
            f"RingCentral {_said(theirs.get(id_))}, inventory {_said(ours.get(id_))}"
            for id_ in sorted(theirs.keys() | ours.keys(), key=int)
            if theirs.get(id_) != ours.get(id_)
        ]
        if found:
            raise Disagreement(found)
        return len(ours)

    def state(self) -> State:
        """Where the inventory is now."""
        account = self.platform.account_id
        observed = read_model.events(account=account, origin="observation").subquery()
        with self._database.engine.connect() as reader:
            fresh = reader.execute(read_model.freshness()).all()
            rows = reader.execute(read_model.numbers(account=account)).all()
            confirmed = reader.scalar(select(func.count()).select_from(observed))
        return State(
            {row.phone_number_id: Held(row.phone_number, row.provider_id) for row in rows},
            sum(row.unverified_since is not None for row in rows),
            confirmed or 0,
            sum(row.lag_events for row in fresh if row.account_id == account),
        )

    def panel(self, title: str) -> Panel:
        """What has been going on."""
        delivery, rest, state = self._simulator.delivery, self._simulator.rest, self.state()
        theirs = {
            "changes made": self._churn.changes,
            "told": self.platform.told,
            "delivered": delivery.acknowledged,
            "told twice": delivery.duplicated,
            "told late": delivery.delayed,
            "told broken": delivery.corrupted,
            "dropped": delivery.dropped,
            "failed": delivery.failed,
            "requests refused (503)": rest.refused,
            "requests throttled (429)": rest.throttled,
        }
        ours = {
            "appended": self.received.appended,
            "duplicates": self.received.duplicates,
            "quarantined": self.received.quarantined,
            "in doubt": state.in_doubt,
            "confirmed": state.confirmed,
            "lag, in events": state.lag,
            "numbers": len(state.numbers),
        }
        table = Table.grid(padding=(0, 4))
        table.add_row(_column("RingCentral, simulated", theirs), _column("inventory", ours))
        trouble = Text(self.trouble[:100]) if self.trouble else None
        return Panel(table, title=title, subtitle=trouble, expand=False)

    def _theirs(self) -> dict[str, Held]:
        return {
            str(number["id"]): Held(number["phoneNumber"], number["contactCenterProvider"]["id"])
            for number in self.platform.contact_center()
        }


def run(database: Database, settings: Settings, seconds: float, console: Console) -> str:
    """
    Let both work for so long, and compare them; gives the account they worked on.

    Raises:
        Disagreement: They do not have the same numbers in the end.
    """
    with _up(database, settings) as live:
        console.print(
            f"Account {live.platform.account_id} of a simulated RingCentral at "
            f"{live.platform.url}, for {seconds:g} s. It tells things twice, late, out of order "
            "and cut off, and refuses requests; half of the numbers that leave do not say so. "
            f"Its rate limits and its penalty take {MINUTE:g} s for a minute: with RingCentral's, "
            "asking about each would take far longer.",
            soft_wrap=True,
        )
        with Screen(console=console, auto_refresh=False) as screen:

            def show(title: str) -> None:
                screen.update(live.panel(title), refresh=True)

            live.subscribed()
            live.go_on(seconds, show)
            live.settle(show)
        if not console.is_terminal:
            console.line()  # there, a screen ends without one
        agreed = live.compare()
        console.print(
            f"Inventory and RingCentral agree, number by number: {agreed} in Contact Center, "
            "each with its provider.",
            soft_wrap=True,
        )
        return live.platform.account_id


@contextmanager
def _up(database: Database, settings: Settings) -> Iterator[Live]:
    """Both, on loopback. The account is a new one: what earlier runs told of is not in it."""
    with ExitStack() as stack:
        simulated, receiving = (listening("127.0.0.1", 0) for _ in range(2))
        platform = Platform(
            str(time.time_ns() // 1_000_000),
            limits=Limits(window=MINUTE, penalty=MINUTE),
            url=address_of(simulated),
        )
        churn = Churn(platform)
        churn.populate(NUMBERS, inside=0)
        simulator = Simulator(platform)
        live = Live(database, simulator, churn)
        logging.basicConfig(handlers=[_Trouble(live)])
        stack.enter_context(served(simulator.application(), simulated))
        application = web.application(
            database,
            _settings(settings, platform, f"{address_of(receiving)}/webhooks/ringcentral"),
            poll=POLL,
            doubt=DOUBT,
            received=live.take,
        )
        stack.enter_context(served(application, receiving, http=web.ImpatientProtocol))
        yield live


def _settings(settings: Settings, platform: Platform, webhook_url: str) -> Settings:
    """*settings*, with the simulator in the place of whatever they give access to."""
    app = platform.application
    return settings.model_copy(
        update={
            "ringcentral_url": platform.url,
            "ringcentral_client_id": app.client_id,
            "ringcentral_client_secret": SecretStr(app.client_secret),
            "ringcentral_jwt": SecretStr(app.jwt),
            "ringcentral_ca": None,
            "webhook_url": SecretStr(webhook_url),
            "webhook_token": SecretStr(secrets.token_urlsafe()),
        }
    )


class _Trouble(logging.Handler):
    """Keeps the latest warning where it can be seen; lines amid the panel could not."""

    def __init__(self, live: Live) -> None:
        super().__init__(logging.WARNING)
        self._live = live

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.startswith("inventory"):
            self._live.trouble = redact(record.getMessage())


def _column(title: str, counts: dict[str, int]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(justify="right")
    table.add_row(f"[bold]{title}")
    for what, count in counts.items():
        table.add_row(what, f"{count:,}")
    return table


def _said(held: Held | None) -> str:
    return "does not have it" if held is None else f"has it with provider {held.provider_id}"


def _wait(condition: Callable[[], object], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise NotQuiet(f"{what} within {seconds:g} s, and it did not come")
        time.sleep(GLANCE)
