"""
What a comparison must not do unasked: let many numbers go at once.

Pure. A list that was shortened, by a lost permission or a fault of the platform's, looks like one
whose numbers have left. Each guard has a name, and refuses every absence of the run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

FEW = 5
"""So many may go in any case …"""
SHARE = 10
"""… and one in so many."""


class Guard(NamedTuple):
    """A guard that refuses."""

    name: str
    detail: str
    """What it expected and what it found, as a sentence."""


def too_many(absent: int, held: int) -> bool:
    """
    Whether so many of so many may not go at once: more than five, and more than a tenth.

    >>> too_many(5, 5), too_many(6, 60), too_many(7, 60)
    (False, False, True)
    """
    return absent > FEW and absent * SHARE > held


def refusals(
    *, held: Iterable[str], absent: Iterable[str], after: Iterable[str], rows: int
) -> Iterator[Guard]:
    """
    The guards that refuse to let numbers go.

    Args:
        held: The provider of each number in the account's inventory.
        absent: The provider of each number that would go.
        after: The provider of each number that would be in the inventory afterwards.
        rows: Numbers in the list.
    """
    before, going, remaining = Counter(held), Counter(absent), Counter(after)
    total = going.total()
    if total == 0:
        return
    if rows == 0:
        yield Guard("zero_rows", f"expected numbers in the list, found none of {before.total()}")
    if too_many(total, before.total()):
        yield Guard(
            "absent_of_account",
            f"expected at most {_limit(before.total())} of the account's {before.total()} numbers "
            f"to be absent, found {total}",
        )
    for provider, count in sorted(going.items()):
        if too_many(count, before[provider]):
            yield Guard(
                "absent_of_provider",
                f"expected at most {_limit(before[provider])} of provider {provider}'s "
                f"{before[provider]} numbers to be absent, found {count}",
            )
        if not remaining[provider]:
            yield Guard(
                "provider_vanished",
                f"expected provider {provider} to keep a number, found all "
                f"{before[provider]} absent or elsewhere",
            )


def _limit(held: int) -> int:
    return max(FEW, held // SHARE)
