"""
The proof that the events of a bundle were in the log: payload, its hash, the seal over it, and the
chain of seals up to the head.

Of the events that are not here only the hashes of their payloads are needed, and no database.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple

from inventory.audit import layout
from inventory.audit.bundle import Bundle
from inventory.audit.layout import Row, instant
from inventory.event_log import genesis, seal_hash
from inventory.verification import Anchor, Difference, columns
from inventory.verification.columns import SAID, Entry
from inventory.verification.difference import shown, span

ACCOUNTS = """
SELECT account_id FROM event UNION SELECT account_id FROM seal UNION SELECT account_id FROM head
ORDER BY account_id
"""

_HASH = 32


class _Seal(NamedTuple):
    """A seal of a bundle: the layout's columns, less the account."""

    first_position: int
    last_position: int
    sealed_at: datetime
    source: str
    previous_hash: bytes
    events_hash: bytes
    hash: bytes
    payload_hashes: bytes | None


def differences(bundle: Bundle, anchors: Sequence[Anchor]) -> Iterator[Difference]:
    """
    Where the chain of hashes breaks, from any payload to the head of its account's log.

    With *anchors*, heads that were noted elsewhere, each account must be shown to be on the chain
    that it was on then.
    """
    for (account_id,) in bundle.query(ACCOUNTS):
        account = _Account(bundle, account_id)
        yield from account.walk()
        if anchors:
            yield from account.held_against(
                {(a.position, a.head_hash) for a in anchors if a.account_id == account_id}
            )


class _Account:
    """One account's part of a bundle."""

    def __init__(self, bundle: Bundle, account_id: str) -> None:
        self._bundle = bundle
        self._account_id = account_id
        self._ends: dict[int, bytes] = {}
        """The hash that the chain has at each position where a seal ends."""

    def walk(self) -> Iterator[Difference]:
        """Where the chain breaks, or an event is not under it."""
        account = {"account_id": self._account_id}
        entries = (_entry(row) for row in self._bundle.rows(layout.EVENT, **account))
        seals = (_seal(row) for row in self._bundle.rows(layout.SEAL, **account))
        entry = next(entries, None)
        before: _Seal | None = None
        for seal in seals:
            yield from self._link(seal, before)
            while entry is not None and entry.position <= seal.last_position:
                yield from self._under(entry, seal)
                entry = next(entries, None)
            before = seal
        while entry is not None:
            yield from self._under(entry, None)
            entry = next(entries, None)
        yield from self._at_head(before)

    def held_against(self, anchors: set[tuple[int, bytes]]) -> Iterator[Difference]:
        """Heads noted elsewhere that the chain does not have; or that there is none to compare."""
        first, last = min(self._ends), max(self._ends)
        compared = {anchor for anchor in anchors if first <= anchor[0] <= last}
        for position, hash_ in sorted(compared):
            found = self._ends.get(position)
            if found != hash_:
                yield self._differs("head", position, hash_, found or "no seal ends there")
        if not compared:
            yield self._differs("head", last, f"a head noted within {span(first, last)}", None)

    def _link(self, seal: _Seal, before: _Seal | None) -> Iterator[Difference]:
        """What differs within *seal*, and between it and the one *before*, if that is here."""
        first, last, sealed_at, source, previous_hash, events_hash, hash_, hashes = seal
        computed = seal_hash(previous_hash, first, last, sealed_at, events_hash, source)
        if hash_ != computed:
            yield self._differs("seal.hash", last, computed, hash_)
        if before is not None and first != before.last_position + 1:
            yield self._differs("seal.first_position", last, before.last_position + 1, first)
        # Of the first one here, what came before it is not known, unless nothing did.
        previous = before.hash if before else genesis(self._account_id) if first == 1 else None
        if previous is not None and previous_hash != previous:
            yield self._differs("seal.previous_hash", last, previous, previous_hash)
        if hashes is not None and sha256(hashes).digest() != events_hash:
            of_hashes = sha256(hashes).digest()
            yield self._differs("seal.events_hash", last, of_hashes, events_hash)
        if hashes is not None and len(hashes) != _HASH * (last - first + 1):
            expected = f"{last - first + 1} hashes"
            found = f"{len(hashes) // _HASH} hashes"
            yield self._differs("seal.payload_hashes", last, expected, found)
        if before is None:
            self._ends[first - 1] = previous_hash
        self._ends[last] = hash_

    def _under(self, entry: Entry, seal: _Seal | None) -> Iterator[Difference]:
        """What differs between an event's payload, its columns, and the *seal* over it."""
        digest = sha256(entry.payload).digest()
        if entry.payload_sha256 != digest:
            yield self._at(entry, "payload_sha256", digest, entry.payload_sha256)
        source = None
        if seal is None or entry.position < seal.first_position:
            yield self._at(entry, "position", "under a seal that is here", entry.position)
        else:
            source = seal.source
            if entry.recorded_at != seal.sealed_at:
                yield self._at(entry, "recorded_at", seal.sealed_at, entry.recorded_at)
            place = _HASH * (entry.position - seal.first_position)
            sealed = (seal.payload_hashes or b"")[place : place + _HASH]
            if sealed != digest:
                found = sealed or None
                yield self._at(entry, "payload", f"SHA-256 {digest.hex()} under the seal", found)
        event = columns.read(entry.payload, self._account_id)
        yield from columns.differences(self._account_id, entry, event, source)

    def _at_head(self, last: _Seal | None) -> Iterator[Difference]:
        """What differs between the head and the end of the chain."""
        heads = [row[1:3] for row in self._bundle.rows(layout.HEAD, account_id=self._account_id)]
        end = (last.last_position, last.hash) if last else (0, genesis(self._account_id))
        self._ends.setdefault(*end)
        if not heads:
            yield self._differs("head", end[0], end[1], None)
            return
        for name, of_chain, of_head in zip(("position", "head_hash"), end, heads[0], strict=True):
            if of_chain != of_head:
                yield self._differs(f"head.{name}", end[0], of_chain, of_head)

    def _at(self, entry: Entry, column: str, expected: Any, found: Any) -> Difference:
        texts = f"event.{column}", shown(expected), shown(found)
        return Difference(self._account_id, entry.position, entry.phone_number_id, *texts)

    def _differs(self, what: str, position: int, expected: Any, found: Any) -> Difference:
        return Difference(self._account_id, position, None, what, shown(expected), shown(found))


def _seal(row: Row) -> _Seal:
    _, first, last, sealed_at, *rest = row
    return _Seal(first, last, instant(sealed_at), *rest)


_OCCURRED_AT = SAID.index("occurred_at")


def _entry(row: Row) -> Entry:
    event = dict(zip(layout.EVENT.names, row, strict=True))
    said = [event[name] for name in SAID]
    said[_OCCURRED_AT] = instant(event["occurred_at"])
    return Entry(
        event["position"],
        instant(event["recorded_at"]),
        event["origin"],
        event["payload"].encode(),
        event["payload_sha256"],
        tuple(said),
    )
