"""
The chain of an account's log: every position once, every event under its seal, every seal on the
one before it, and the account's row at the end of it.

Pure; walked once, in the order of positions. Each link is held against what is stored beside it,
not against what would be there had all before it been right: what was altered is named once, and
all that follows is still verified. Together the links are the whole recomputation.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple

from inventory.event import Event, Origin
from inventory.event_log import genesis, seal_hash
from inventory.verification import columns
from inventory.verification.anchor import Anchor
from inventory.verification.columns import Entry
from inventory.verification.difference import Difference, shown, span


class Seal(NamedTuple):
    """One row of the chain, as it is."""

    first_position: int
    last_position: int
    sealed_at: datetime
    source: str
    previous_hash: bytes
    events_hash: bytes
    hash: bytes


class Head(NamedTuple):
    """Where a log ends: as an account's row has it, or as its chain does."""

    position: int
    head_hash: bytes
    recorded_at: datetime | None


class Chain:
    """
    A walk along one account's log.

    Args:
        account_id: The account.
        seals: Its seals, in the order of their last positions.
        anchors: Heads it is known to have had.
        begins: The head behind which the walk begins; null: with the first event.
    """

    def __init__(
        self,
        account_id: str,
        seals: Iterator[Seal],
        anchors: Sequence[Anchor] = (),
        begins: Head | None = None,
    ) -> None:
        self.seals = 0
        """How many were walked past."""
        self._account_id = account_id
        self._to_come = seals
        self._anchors: defaultdict[int, set[bytes]] = defaultdict(set)
        for anchor in anchors:
            self._anchors[anchor.position].add(anchor.head_hash)
        self._end = begins or Head(0, genesis(account_id), None)  # of what was walked past
        self._next_position = self._end.position + 1
        self._unsealed: tuple[int, int] | None = None
        self._seal: Seal | None = None  # the one that events are gathered for
        self._origin: Origin | None = None  # of what came from its source
        self._events_hash = sha256()
        self._events = 0

    def take(self, entry: Entry) -> list[Difference]:
        """What differs at *entry*, or between it and the one before."""
        found: list[Difference] = []
        position = entry.position
        if position != self._next_position:
            found.append(self._out_of_place(entry))
        self._next_position = position + 1
        seal = self._seal_over(position, found)
        event = columns.read(entry.payload, self._account_id)
        as_said = False
        if type(event) is Event:
            digest = event.payload_sha256
            as_said = columns.said(event) == entry.said and event.account_id == self._account_id
        else:
            digest = sha256(entry.payload).digest()
        if digest != entry.payload_sha256:
            found.append(self._at(entry, "payload_sha256", digest, entry.payload_sha256))
        if seal is None:
            self._unsealed = (self._unsealed[0] if self._unsealed else position, position)
        else:
            self._events_hash.update(digest)
            self._events += 1
            if self._unsealed is not None:
                found.append(self._without_seal(*self._unsealed))
            if entry.recorded_at != seal.sealed_at:
                found.append(self._at(entry, "recorded_at", seal.sealed_at, entry.recorded_at))
        # An envelope of ours names its origin itself; `columns` looks at that.
        if not (as_said and (seal is None or entry.origin == self._origin == "notification")):
            source = None if seal is None else seal.source
            found += columns.differences(self._account_id, entry, event, source)
        return found

    def finish(self, head: Head | None) -> list[Difference]:
        """What differs behind the last entry, at the account's row, and at the anchors."""
        found: list[Difference] = []
        if self._unsealed is not None:
            found.append(self._without_seal(*self._unsealed))
        while self._next_seal(found):
            pass
        end = self._end
        if end.position >= self._next_position:
            found.append(self._missing(self._next_position, end.position))
        if head is None:
            expected = f"a row with its head at {end.position}"
            found.append(self._of("account", end.position, expected, None))
        else:
            found += [
                self._of(f"account.{name}", end.position, of_chain, of_row)
                for name, of_chain, of_row in zip(Head._fields, end, head, strict=True)
                if of_chain != of_row
            ]
        self._anchors[0].discard(genesis(self._account_id))
        for position, hashes in sorted(self._anchors.items()):
            place = "no seal ends there"
            if position > end.position:
                place = f"the log ends at {end.position}, with {end.head_hash.hex()}"
            found += [self._of("head", position, hash_, place) for hash_ in hashes]
        return found

    def _seal_over(self, position: int, found: list[Difference]) -> Seal | None:
        """The seal that covers *position*, if one does."""
        while self._seal is None or position > self._seal.last_position:
            if not self._next_seal(found):
                return None
        return self._seal if position >= self._seal.first_position else None

    def _next_seal(self, found: list[Difference]) -> bool:
        """Leave the seal that events were gathered for, and go to the next; false if none is."""
        if self._seal is not None:
            found += self._leave(self._seal)
        self._seal = next(self._to_come, None)
        if self._seal is None:
            return False
        self._origin = columns.origin_of(self._seal.source)
        self._events_hash = sha256()
        self._events = 0
        found += self._enter(self._seal)
        return True

    def _enter(self, seal: Seal) -> Iterator[Difference]:
        """What differs within *seal*, and between it and the one before."""
        first, last, sealed_at, source, previous_hash, events_hash, hash_ = seal
        end = self._end
        computed = seal_hash(previous_hash, first, last, sealed_at, events_hash, source)
        if first != end.position + 1:
            yield self._of("seal.first_position", last, end.position + 1, first)
        if previous_hash != end.head_hash:
            yield self._of("seal.previous_hash", last, end.head_hash, previous_hash)
        if end.recorded_at is not None and sealed_at < end.recorded_at:
            earliest = f"{shown(end.recorded_at)} or later"
            yield self._of("seal.sealed_at", last, earliest, sealed_at)
        if hash_ != computed:
            yield self._of("seal.hash", last, computed, hash_)

    def _leave(self, seal: Seal) -> Iterator[Difference]:
        """What differs between *seal* and the events under it, and the anchor at its end."""
        first, last = seal.first_position, seal.last_position
        computed = self._events_hash.digest()
        # Of events that are not all there no hash can be computed; the gap is named by itself.
        if self._events == last - first + 1 and computed != seal.events_hash:
            over = f"{computed.hex()}, over the payloads at {span(first, last)}"
            yield self._of("seal.events_hash", last, over, seal.events_hash)
        for anchored in self._anchors.pop(last, ()):
            if anchored != seal.hash:
                yield self._of("head", last, anchored, seal.hash)
        self._end = Head(last, seal.hash, seal.sealed_at)
        self.seals += 1

    def _out_of_place(self, entry: Entry) -> Difference:
        position, expected = entry.position, self._next_position
        if position < expected:
            return self._at(entry, "position", expected, position)
        return self._missing(expected, position - 1)

    def _missing(self, first: int, last: int) -> Difference:
        return self._of("event", first, f"an event at each of {span(first, last)}", None)

    def _without_seal(self, first: int, last: int) -> Difference:
        self._unsealed = None
        return self._of("seal", first, f"a seal over {span(first, last)}", None)

    def _at(self, entry: Entry, column: str, expected: Any, found: Any) -> Difference:
        return self._of(f"event.{column}", entry.position, expected, found, entry.phone_number_id)

    def _of(
        self,
        what: str,
        position: int,
        expected: Any,
        found: Any,
        phone_number_id: str | None = None,
    ) -> Difference:
        return Difference(
            self._account_id, position, phone_number_id, what, shown(expected), shown(found)
        )
