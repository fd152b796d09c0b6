"""
What a comparison finds, and what may be done about it.

Local events that are newer than the read win: a number that has one is left alone. What a guard
refuses is not even looked at by id.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from psycopg import Connection

from inventory.drift import Finding, Held, inside, provider_of
from inventory.guards import Guard, refusals
from inventory.observation import Sighting
from inventory.reconciliation.causes import Cause, cause_of
from inventory.reconciliation.held import Side, latest, side_of
from inventory.reconciliation.reading import Reading
from inventory.reconciliation.scope import Scope
from inventory.reconciliation.source import Source
from inventory.reconciliation.suppression import Suppression, in_force

# Not applied, it may be found time and again.
INITIAL = """
SELECT DISTINCT phone_number_id
FROM inventory.discrepancy
WHERE account_id = %(account_id)s
  AND class = 'initial load'
  AND position IS NULL
"""

COMPARED_BEFORE = """
SELECT
FROM inventory.reconciliation
WHERE account_id = %(account_id)s
  AND source = 'ringcentral'
  AND scope IS NULL
  AND outcome IN ('complete', 'refused')
LIMIT 1
"""


class Override(NamedTuple):
    """A person's word that so many numbers have indeed gone."""

    absent: int
    """Exactly so many; of another number nothing is believed."""
    reason: str


class Planned(NamedTuple):
    """A finding, and what it rests on."""

    finding: Finding
    sighting: Sighting | None
    """What an observation would be made of; null: nothing that could be one."""
    cause: Cause | None
    suppression: Suppression | None
    """Why nothing is done about it; null: it is not suppressed."""


@dataclass
class Plan:
    """What a comparison comes to. Nothing has been done about it yet."""

    source: Source
    reading: Reading
    side: Side
    read_at: datetime
    """When the list had been read."""
    findings: list[Planned] = field(default_factory=list)
    left_alone: int = 0
    """Numbers that were not judged, for events newer than the read."""
    absent: int = 0
    """Numbers that are in the inventory and not in the list, as the guards counted them."""
    guards: list[Guard] = field(default_factory=list)
    """Those that refused the absences."""
    override: Override | None = None
    """The word that lifted them, instead."""
    notes: list[str] = field(default_factory=list)
    """What a person should know of it."""

    @property
    def outcome(self) -> str:
        """`refused` by a guard, `incomplete`, or `complete`."""
        if self.guards:
            return "refused"
        undecided = not self.source.by_file and any(
            p.finding.kind == "missing" for p in self.findings if not p.suppression
        )
        return "incomplete" if self.reading.faults or undecided else "complete"

    @property
    def counts(self) -> Counter[str]:
        """Findings by kind; those that are suppressed are counted as such."""
        return Counter(
            p.finding.kind if p.suppression is None else "suppressed" for p in self.findings
        )

    @property
    def drift(self) -> bool:
        """Whether the two are known to differ, in what is not suppressed."""
        nothing = {"confirmed"} if self.source.by_file else {"confirmed", "missing"}
        return any(p.suppression is None and p.finding.kind not in nothing for p in self.findings)


def draw_up(
    connection: Connection,
    source: Source,
    reading: Reading,
    *,
    scope: Scope,
    override: Override | None,
) -> Plan:
    """
    Compare the inventory with what *source* lists, and look at what is missing.

    Only reads, on both sides. Expects a connection in autocommit mode; no transaction is open
    while the source is waited for. What is not folded into the inventory yet is left alone.

    Args:
        connection: To the inventory.
        source: What it is compared with.
        reading: What *source* lists, read before the inventory is.
        scope: What the comparison is narrowed to.
        override: A person's word on the absences.
    """
    read_at = datetime.now(UTC)
    side = side_of(connection, source.account_id)
    plan = Plan(source, reading, side, read_at)
    if side.lag:
        plan.notes.append(
            f"{side.lag} events are not folded into the inventory yet; their numbers are left alone"
        )
    findings = scope.narrowed(list(source.compared(reading, side.numbers)))
    events = latest(
        connection,
        source.account_id,
        [f.phone_number_id for f in findings if f.phone_number_id is not None],
        since=reading.begun_at,
        compared=side.position,
    )
    touched = {each.phone_number_id for each in events.values() if each.touched}
    judged = [f for f in findings if f.phone_number_id not in touched]
    plan.left_alone = len(findings) - len(judged)
    suppressed = in_force(connection, source.account_id, read_at)
    account = {"account_id": source.account_id}
    first = connection.execute(COMPARED_BEFORE, account).fetchone() is None
    initial = {id_ for (id_,) in connection.execute(INITIAL, account)}
    for finding, sighting in _settled(plan, judged, suppressed, override):
        id_ = finding.phone_number_id or ""
        before_us = first or id_ in initial
        cause = cause_of(finding, events.get(id_), before_us=before_us, by_file=source.by_file)
        plan.findings.append(Planned(finding, sighting, cause, suppressed.get(id_)))
    return plan


def _settled(
    plan: Plan,
    findings: list[Finding],
    suppressed: Mapping[str, Suppression],
    override: Override | None,
) -> Iterator[tuple[Finding, Sighting | None]]:
    """Each finding with what it rests on; those that are missing once they were looked at."""
    # From a list that shows it, too, as one of another use. What a file lacks stays in any case.
    going = {"departed"} if plan.source.by_file else {"departed", "missing"}
    absent = [f for f in findings if f.kind in going and f.phone_number_id not in suppressed]
    plan.absent = len(absent)
    plan.guards = list(_refusals(plan, absent))
    if plan.guards and override is not None:
        if override.absent == len(absent):
            plan.guards, plan.override = [], override
        else:
            plan.notes.append(
                f"expected {len(absent)} absent numbers to be confirmed, found {override.absent}"
            )
    missing = []
    for finding in findings:
        known = finding.phone_number_id in suppressed
        if finding.kind == "missing" and not known and not plan.guards:
            missing.append(finding)
        elif finding.kind in going and not known and plan.guards:
            yield finding._replace(kind="missing", detail="refused by a guard"), None
        else:
            yield finding, plan.reading.sightings.get(finding.phone_number_id or "")
    skipped = 0
    for settled in plan.source.settled(missing, plan.side.numbers):
        if settled.finding is None:
            skipped += 1
        else:
            yield settled.finding, settled.sighting
    if skipped:
        plan.notes.append(f"the list skipped {skipped} numbers that are there by id")


def _refusals(plan: Plan, absent: Iterable[Finding]) -> Iterator[Guard]:
    """The guards that refuse, of the whole account whatever the run is narrowed to."""
    numbers, sightings = plan.side.numbers, plan.reading.sightings
    gone = {finding.phone_number_id: finding for finding in absent}
    seen = {
        id_: s.attributes for id_, s in sightings.items() if s.attributes and inside(s.attributes)
    }
    after = {id_: held.attributes for id_, held in numbers.items() if id_ not in gone} | seen
    return refusals(
        held=map(_provider, numbers.values()),
        absent=(provider_of(f.held) for f in gone.values() if f.held),
        after=map(provider_of, after.values()),
        rows=plan.reading.rows,
    )


def _provider(held: Held) -> str:
    return provider_of(held.attributes)
