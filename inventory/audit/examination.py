"""A bundle examined: whether it is as it was made, was in the log, and follows the law."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from inventory.audit import authenticity, layout, proof, refold
from inventory.audit.bundle import Bundle
from inventory.verification import Anchor, Difference


@dataclass(slots=True)
class Examined:
    """What was looked at, and what could not be concluded."""

    events: int = 0
    numbers: int = 0
    seals: int = 0
    notes: list[str] = field(default_factory=list)


def examine(
    bundle: Bundle,
    examined: Examined,
    *,
    public_key: bytes | None = None,
    anchors: Sequence[Anchor] = (),
) -> Iterator[Difference]:
    """
    All that differs within *bundle*. Needs nothing but the bundle, and what is demanded of it.

    Args:
        bundle: Whatever somebody handed to us.
        examined: Is told what was looked at, and what cannot be concluded.
        public_key: Who must have signed it; null: whoever did, if anybody.
        anchors: Heads noted elsewhere, one of which must be on the chain of each account.
    """
    malformed = False
    for difference in authenticity.of_form(bundle):
        malformed = True
        yield difference
    if malformed:
        examined.notes.append("malformed: nothing else of it was looked at")
        return
    examined.events = bundle.count(layout.EVENT)
    examined.numbers = bundle.count(layout.NUMBER)
    examined.seals = bundle.count(layout.SEAL)
    yield from authenticity.of_manifest(bundle)
    yield from authenticity.of_signature(bundle, public_key, examined.notes)
    yield from proof.differences(bundle, anchors)
    yield from refold.differences(bundle, examined.notes)
