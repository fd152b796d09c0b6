"""
What another list shows of numbers, held against what the inventory has.

Pure. The two spell some things differently without meaning anything else: only what is left after
that is drift. What a list does not show is missing, which by itself proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple, TypeAlias

from inventory.event import CONTACT_CENTER, Attributes

Kind: TypeAlias = Literal["added", "different", "departed", "deleted", "missing", "confirmed"]
"""What a comparison finds of a number."""

DEFAULT_PROVIDER = "1"
"""The provider of a number that names none (OpenAPI, *ContactCenterNumberProvider*)."""

_REST_TYPES = {"Voice": "VoiceOnly", "Fax": "FaxOnly"}
"""The event's guide page has the keys where the REST specification has the values."""


class Held(NamedTuple):
    """A number as the inventory has it."""

    attributes: Attributes
    doubted: bool
    """Whether it is unverified."""


class Finding(NamedTuple):
    """What was found of one number; a number that is as it should be makes none."""

    kind: Kind
    phone_number_id: str | None
    """Null: the list names it by its E.164 number alone, and the inventory has none of that."""
    held: Attributes | None
    """Null: the inventory has not got it."""
    found: Attributes | None
    """In the inventory's words; null: the list, or RingCentral, has not got it."""
    detail: str | None = None
    """Why no more can be said of it."""

    @property
    def phone_number(self) -> str | None:
        """E.164, as it was found or else is held."""
        shown = self.found or self.held
        return shown and shown.phone_number

    @property
    def differences(self) -> dict[str, tuple[str | None, str | None]]:
        """Field by field what is held and what was found, where a number is on both sides."""
        if self.held is None or self.found is None:
            return {}
        pairs = zip(Attributes._fields, self.held.state, self.found.state, strict=False)
        return {name: (held, found) for name, held, found in pairs if held != found}


def inside(attributes: Attributes) -> bool:
    """Whether what a list shows is a Contact Center number."""
    return (attributes.usage_type or CONTACT_CENTER) == CONTACT_CENTER


def spelled_as_held(observed: Attributes, held: Attributes | None) -> Attributes:
    """
    *observed*, in the words of *held* wherever both say the same.

    A number's type has other names in REST than in events. A provider is known by its id: one id
    has been seen with two names, and none at all means the default one. No usage type in an event
    means Contact Center's.

    >>> spelled_as_held(Attributes(number_type="VoiceOnly"), Attributes(number_type="Voice"))[3]
    'Voice'
    """
    if held is None:
        return observed
    if held.number_type and _REST_TYPES.get(held.number_type) == observed.number_type:
        observed = observed._replace(number_type=held.number_type)
    if inside(observed) and inside(held):
        observed = observed._replace(usage_type=held.usage_type)
        if provider_of(observed) == provider_of(held):
            observed = observed._replace(
                provider_id=held.provider_id, provider_name=held.provider_name
            )
    return observed


def provider_of(attributes: Attributes) -> str:
    """The id of a number's provider; one that names none has the default one."""
    return attributes.provider_id or DEFAULT_PROVIDER


def judged(phone_number_id: str, held: Held | None, observed: Attributes | None) -> Finding | None:
    """
    What a look at one number finds; null if all is as it should be.

    Args:
        phone_number_id: Digits.
        held: As the inventory has it; null: it has not got it.
        observed: As the look showed it; null: there is no such number.
    """
    if observed is None:
        return held and Finding("deleted", phone_number_id, held.attributes, None)
    if held is None:
        found = Finding("added", phone_number_id, None, observed)
        return found if inside(observed) else None
    if held.attributes.state == observed.state and not held.doubted:
        return None  # as nearly all are
    found = Finding(
        "different",
        phone_number_id,
        held.attributes,
        spelled_as_held(observed, held.attributes),
    )
    if not inside(observed):
        return found._replace(kind="departed")
    if found.differences:
        return found
    return found._replace(kind="confirmed") if held.doubted else None


def compared(
    held: Mapping[str, Held], seen: Mapping[str, Attributes], *, complete: bool
) -> Iterator[Finding]:
    """
    What a list finds, number by number; what it lacks is missing, if it was read completely.
    """
    for phone_number_id, observed in seen.items():
        finding = judged(phone_number_id, held.get(phone_number_id), observed)
        if finding is not None:
            yield finding
    if complete:
        for phone_number_id, number in held.items():
            if phone_number_id not in seen:
                yield Finding("missing", phone_number_id, number.attributes, None)
