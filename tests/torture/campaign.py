"""The campaign: rounds of load and misfortune, and after each the reckoning."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from tests.torture.checks import Checked, check
from tests.torture.faults import FAULTS, Fault
from tests.torture.importer import Importer
from tests.torture.ledger import Ledger
from tests.torture.machine import Machine
from tests.torture.notifications import Notifications
from tests.torture.senders import Senders

SENDERS = 6
PROGRESS = 50
"""Deliveries acknowledged that show that all is well again."""

INGEST = Fault("ingest killed", lambda _machine, _random: False, 5, kills=True)
"""Struck by the campaign itself, which has the importer."""


class Blow(NamedTuple):
    """A fault at its place in the campaign."""

    fault: Fault
    seed: str
    """For whatever the fault has to choose."""
    waits: bool
    """Whether all is well again before the next; else it comes at once."""


def blows(random: Random, faults: Sequence[Fault], count: int) -> list[Blow]:
    """The faults of a round, by their weights: the same for the same seed."""
    weights = [fault.weight for fault in faults]
    return [
        Blow(
            random.choices(faults, weights)[0],
            str(random.random()),
            waits=random.random() < 0.4,
        )
        for _ in range(count)
    ]


@dataclass
class Campaign:
    """
    What was done, and what was found.

    Args:
        machine: It is up.
        seed: Of the notifications, and of what is done when.
        kills: How many there are to be at least.
        blows: How many faults a round.
        tell: Is told how it goes on.
    """

    machine: Machine
    seed: int
    kills: int
    blows: int = 20
    tell: Callable[[str], None] = lambda _: None
    faults: tuple[Fault, ...] = (*FAULTS, INGEST)
    ledger: Ledger = field(default_factory=Ledger)
    struck: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    """Faults that found nothing to strike at."""
    findings: list[str] = field(default_factory=list)
    rounds: int = 0
    killed: int = 0
    verified: int = 0
    """Events that `inventory verify` has read, over all rounds."""
    checked: Checked | None = None
    """The latest reckoning."""

    def __post_init__(self) -> None:
        self.senders = Senders(
            list(self.machine.ports.values()),
            Notifications(f"{self.seed}-notifications"),
            self.ledger,
            f"{self.seed}",
        )
        self.importer = Importer(self.machine, self.senders, self.ledger, f"{self.seed}-files")
        self._random = Random(f"{self.seed}-faults")
        self.obstacles = {
            fault.name: obstacle
            for fault in self.faults
            if (obstacle := fault.obstacle(self.machine))
        }
        """What could not be had, and why."""
        self._possible = [fault for fault in self.faults if fault.name not in self.obstacles]

    def run(self) -> None:
        """Rounds, until there were as many kills as there were to be, or something was found."""
        while self.killed < self.kills and not self.findings:
            self.round()

    def round(self) -> None:
        """One round: load, faults, quiet, reckoning."""
        self.rounds += 1
        began = time.monotonic()
        with self._load():
            for blow in blows(self._random, self._possible, self.blows):
                self._strike(blow)
        self.machine.wait_until_ready()
        self.machine.wait_until_folded()
        quiet = time.monotonic()
        self._reckon()
        assert self.checked is not None
        self.tell(
            f"round {self.rounds}: {self.killed} kills, {self.ledger.acknowledgements:,} "
            f"acknowledgements, {self.checked.events:,} events, {len(self.findings)} findings "
            f"({quiet - began:.0f} s, and {time.monotonic() - quiet:.0f} s to check)"
        )

    @contextmanager
    def _load(self) -> Iterator[None]:
        """Senders and files, until what was begun is answered."""
        self.senders.start(SENDERS)
        self.importer.start()
        try:
            yield
        except BaseException:
            self.importer.abandon()
            raise
        finally:
            self.senders.stop()
            self.importer.stop()

    def _strike(self, blow: Blow) -> None:
        random = Random(blow.seed)
        time.sleep(random.random() * 0.5)
        if blow.fault.name == INGEST.name:
            done = self._kill_ingest(random)
        else:
            done = blow.fault.strike(self.machine, random)
        (self.struck if done else self.missed)[blow.fault.name] += 1
        self.killed += done and blow.fault.kills
        if blow.waits:
            wanted = self.ledger.answers["200"] + PROGRESS
            self.machine.wait(
                lambda: self.ledger.answers["200"] >= wanted,
                f"acknowledgements after: {blow.fault.name}",
            )

    def _kill_ingest(self, random: Random) -> bool:
        """Kill it at some moment of its life."""
        deadline = time.monotonic() + random.uniform(0.2, 2.5)
        time.sleep(deadline - time.monotonic())
        while time.monotonic() < deadline + 2:
            if self.importer.kill():
                return True
            time.sleep(0.01)
        return False

    def _reckon(self) -> None:
        heads = self.machine.directory / "heads.ndjson"
        noted = ["--head", str(heads)] if heads.exists() else []
        verified = self.machine.ask("verify", *noted)
        self.verified += _events(verified.stderr)
        with self.machine.connect() as connection:
            self.checked = check(connection, self.ledger)
        self.findings += self.checked.findings
        if verified.returncode != 0:
            said = (verified.stdout + verified.stderr)[-2000:]
            self.findings.append(f"inventory verify ended with {verified.returncode}: {said}")
        elif _events(verified.stderr) != self.checked.events:
            self.findings.append(f"inventory verify read another log: {verified.stderr}")
        self.findings += self.machine.deserted
        self.findings += self._importer_faults()
        # What is noted now must be on the chain for ever.
        self.machine.ask("event", "head", "--format", "ndjson", "-o", str(heads))

    def _importer_faults(self) -> list[str]:
        """Commands may be killed, and find no database; they may not fail otherwise."""
        allowed = {"killed", "exit 0", "exit 1", "exit 75"}
        return [f"ingest: {how}" for how in self.importer.ended if how not in allowed]


def _events(said: str) -> int:
    """How many events `inventory verify` says that it has read."""
    for word in said.split():
        if word.startswith("events="):
            return int(word.removeprefix("events="))
    return 0
