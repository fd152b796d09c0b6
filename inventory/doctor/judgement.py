"""What a check says of what it found."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple, TypeAlias

Verdict: TypeAlias = Literal["ok", "warning", "failed", "skipped"]


class Judgement(NamedTuple):
    """A verdict on some facts."""

    verdict: Verdict
    found: str
    """A sentence; where the check was skipped, why."""
    mend: str | None = None
    """A sentence, or a command to run; null where there is nothing to mend."""


class Finding(NamedTuple):
    """The judgement of one check."""

    check: str
    verdict: Verdict
    found: str
    mend: str | None


def ok(found: str) -> Judgement:
    """Nothing to mend."""
    return Judgement("ok", found)


def warning(found: str, mend: str) -> Judgement:
    """It works, and not as it should."""
    return Judgement("warning", found, mend)


def failed(found: str, mend: str) -> Judgement:
    """It does not work, or what is promised does not hold."""
    return Judgement("failed", found, mend)


def skipped(why: str, mend: str | None = None) -> Judgement:
    """It was not looked at."""
    return Judgement("skipped", why, mend)


def together(flaws: Iterable[Judgement], sound: str) -> Judgement:
    """
    One judgement of several flaws, as bad as the worst; where there is none, ok, and *sound*.

    >>> together([warning("a", "x"), failed("b", "y"), failed("c", "y")], "fine")
    Judgement(verdict='failed', found='a; b; c', mend='x; y')
    >>> together([], "fine")
    Judgement(verdict='ok', found='fine', mend=None)
    """
    flaws = list(flaws)
    if not flaws:
        return ok(sound)
    verdict: Verdict = "failed" if any(f.verdict == "failed" for f in flaws) else "warning"
    found = dict.fromkeys(flaw.found for flaw in flaws)
    mends = dict.fromkeys(flaw.mend for flaw in flaws if flaw.mend is not None)
    return Judgement(verdict, "; ".join(found), "; ".join(mends))
