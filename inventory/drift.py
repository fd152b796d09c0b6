"""
What RingCentral's REST API shows of a number, held against what the inventory has.

Pure. The two spell some things differently without meaning anything else: only what is left after
that is drift.
"""

from __future__ import annotations

from inventory.event import Attributes

_REST_TYPES = {"Voice": "VoiceOnly", "Fax": "FaxOnly"}
"""The event's guide page has the keys where the REST specification has the values."""


def spelled_as_held(observed: Attributes, held: Attributes | None) -> Attributes:
    """
    *observed*, in the words of *held* wherever both say the same.

    A number's type has other names in REST than in events, and a provider is known by its id: one
    id has been seen with two names.

    >>> spelled_as_held(Attributes(number_type="VoiceOnly"), Attributes(number_type="Voice"))[3]
    'Voice'
    """
    if held is None:
        return observed
    if held.number_type and _REST_TYPES.get(held.number_type) == observed.number_type:
        observed = observed._replace(number_type=held.number_type)
    if observed.provider_id is not None and observed.provider_id == held.provider_id:
        observed = observed._replace(provider_name=held.provider_name)
    return observed
