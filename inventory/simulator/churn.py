"""An account in which things happen: what administrators do to its numbers, by chance and seed."""

from __future__ import annotations

from inventory.simulator.platform import CONTACT_CENTER, Platform

PROVIDERS = (
    {"id": "1", "name": "InContact/North America"},
    {"id": "2", "name": "Five9"},
    {"id": "7", "name": "Genesys Cloud"},
)
ELSEWHERE = ("DirectNumber", "CompanyNumber", "CompanyFaxNumber")
TYPES = ("VoiceFax", "VoiceOnly", "FaxOnly")
PLACES = ("Washington, DC", "Belmont, CA", "Denver, CO")


class Churn:
    """
    Changes to an account's numbers.

    Args:
        platform: Whose numbers.
        silent: The share of changes that nobody is told of.
    """

    def __init__(self, platform: Platform, *, silent: float = 0.0) -> None:
        self._platform = platform
        self._silent = silent
        self.changes = 0

    def populate(self, numbers: int, *, inside: float = 0.5) -> None:
        """Numbers that were there before anybody listened; a share of them Contact Center's."""
        chance = self._platform.chance
        for _ in range(numbers):
            if chance.random() < inside:
                self._platform.add(
                    contactCenterProvider=dict(chance.choice(PROVIDERS)),
                    location=chance.choice(PLACES),
                    type=chance.choice(TYPES),
                )
            else:
                number = self._platform.add(usageType=chance.choice(ELSEWHERE))
                del number["contactCenterProvider"]

    def step(self) -> None:
        """Change one number."""
        self.changes += 1
        platform, chance = self._platform, self._platform.chance
        inside = platform.contact_center()
        outside = [n for n in platform.numbers.values() if n["usageType"] != CONTACT_CENTER]
        if inside and chance.random() < self._silent:
            platform.change_silently(
                chance.choice(inside), contactCenterProvider=dict(chance.choice(PROVIDERS))
            )
            return
        which = chance.random()
        provider = dict(chance.choice(PROVIDERS))
        if outside and which < 0.3:
            platform.convert(chance.choice(outside), provider)
        elif inside and which < 0.55:
            platform.reassign_away(
                chance.choice(inside), chance.choice(ELSEWHERE), said=chance.random() < 0.5
            )
        elif inside and which < 0.65:
            platform.delete(chance.choice(inside))
        else:
            platform.create(
                contactCenterProvider=provider,
                location=chance.choice(PLACES),
                type=chance.choice(TYPES),
            )
