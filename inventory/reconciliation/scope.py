"""What a comparison is narrowed to."""

from __future__ import annotations

from typing import NamedTuple

from inventory.drift import Finding, provider_of
from inventory.read_model import spellings


class Scope(NamedTuple):
    """Some of an account's numbers; everything, unless it is narrowed."""

    number: str | None = None
    """An id, or an E.164 number in any spelling."""
    provider: str | None = None
    """An id."""

    def __bool__(self) -> bool:
        """Whether it is narrowed."""
        return self.number is not None or self.provider is not None

    def __str__(self) -> str:
        said = {"number": self.number, "provider": self.provider}
        return ", ".join(f"{what} {which}" for what, which in said.items() if which is not None)

    def narrowed(self, findings: list[Finding]) -> list[Finding]:
        """
        Those of *findings* that it is about.

        On either side: a number that moved to the provider, or from it, is both.
        """
        if self.number is not None:
            meant = {self.number.strip(), *spellings(self.number)}
            findings = [
                finding
                for finding in findings
                if finding.phone_number_id in meant
                or any(
                    side and side.phone_number in meant for side in (finding.held, finding.found)
                )
            ]
        if self.provider is not None:
            findings = [
                finding
                for finding in findings
                if self.provider
                in [provider_of(side) for side in (finding.held, finding.found) if side]
            ]
        return findings


EVERYTHING = Scope()
