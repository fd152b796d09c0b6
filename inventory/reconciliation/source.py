"""What the inventory can be compared with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple, Protocol

from inventory.confirmation import look
from inventory.drift import Finding, Held, compared, judged
from inventory.observation import Sighting, UnusableAnswer
from inventory.reconciliation.reading import Reading, read, require_permission
from inventory.ringcentral import RingCentral, RingCentralError

GIVE_UP_AFTER = 3
"""Looks that fail one after the other, after which RingCentral is not asked any more."""


class Settled(NamedTuple):
    """What a look at a number that a list lacks came to."""

    finding: Finding | None
    """Null: it is there, as it should be."""
    sighting: Sighting | None
    """Null: it could not be looked at."""


class Source(Protocol):
    """Something that lists an account's numbers."""

    name: str
    """`ringcentral`, or `file:NAME`."""
    account_id: str
    by_file: bool

    def read(self) -> Reading:
        """What it lists."""

    def compared(self, reading: Reading, held: Mapping[str, Held]) -> Iterable[Finding]:
        """What that finds."""

    def settled(self, missing: list[Finding], held: Mapping[str, Held]) -> Iterator[Settled]:
        """What became of each number that it lacks."""

    def bears_out(self, finding: Finding) -> bool:
        """Whether it is witness enough for an observation of what was found."""

    @property
    def requests(self) -> int:
        """Requests made for all that."""


class RingCentralSource:
    """
    RingCentral itself.

    Args:
        ringcentral: With access to the account.
        account_id: Its id.
    """

    name = "ringcentral"
    by_file = False

    def __init__(self, ringcentral: RingCentral, account_id: str) -> None:
        self._ringcentral = ringcentral.counting()
        self.account_id = account_id

    @property
    def requests(self) -> int:
        return self._ringcentral.requests

    def read(self) -> Reading:
        """Every page of the list."""
        return read(self._ringcentral, self.account_id)

    def compared(self, reading: Reading, held: Mapping[str, Held]) -> Iterable[Finding]:
        """What is missing is so only in a complete list."""
        seen = {
            phone_number_id: sighting.attributes
            for phone_number_id, sighting in reading.sightings.items()
            if sighting.attributes is not None
        }
        return compared(held, seen, complete=reading.complete)

    def settled(self, missing: list[Finding], held: Mapping[str, Held]) -> Iterator[Settled]:
        """
        A look at each, by its id.

        There with another usage type: it has left. Not there: deleted. There as ever: the list
        skipped it. Anything else says nothing, and it stays missing.
        """
        looked: list[tuple[Finding, Sighting | str]] = []
        failed = 0
        for finding in missing:
            seen = self._look(finding) if failed < GIVE_UP_AFTER else "not asked any more"
            failed = failed + 1 if isinstance(seen, str) else 0
            looked.append((finding, seen))
        # A permission lost meanwhile makes numbers look as if there were none.
        blind = self._blind(looked)
        for finding, seen in looked:
            if isinstance(seen, Sighting) and seen.attributes is None and blind:
                seen = blind  # noqa: PLW2901 - what it is worth now
            if isinstance(seen, str):
                yield Settled(finding._replace(detail=seen), None)
            else:
                id_ = seen.phone_number_id
                yield Settled(judged(id_, held[id_], seen.attributes), seen)

    def bears_out(self, finding: Finding) -> bool:
        """All but what could not be decided."""
        return finding.kind != "missing"

    def _look(self, finding: Finding) -> Sighting | str:
        """What RingCentral has of a number, or why that is not known."""
        try:
            return look(self._ringcentral, self.account_id, finding.phone_number_id or "")
        except (RingCentralError, UnusableAnswer) as error:
            return str(error)

    def _blind(self, looked: list[tuple[Finding, Sighting | str]]) -> str | None:
        """Why a number that is not found may still be there; null: it is not."""
        if all(isinstance(seen, str) or seen.attributes is not None for _, seen in looked):
            return None
        try:
            require_permission(self._ringcentral)
        except RingCentralError as error:
            return str(error)
        return None
