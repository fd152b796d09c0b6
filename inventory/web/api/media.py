"""In which form an answer is wanted: JSON, CSV or NDJSON, as `Accept` or the address says."""

from __future__ import annotations

from collections.abc import Iterable

JSON = "application/json"
CSV = "text/csv"
NDJSON = "application/x-ndjson"
NAMED = {"json": JSON, "csv": CSV, "ndjson": NDJSON}
"""What there is, dearest to us first."""
OFFERED = tuple(NAMED.values())


def preferred(accept: Iterable[str]) -> str | None:
    """
    The media type that `Accept` likes best; null: it likes none of ours.

    >>> preferred(["text/html, application/json;q=0.5, text/*;q=0.6"])
    'text/csv'
    >>> preferred([])
    'application/json'
    """
    ranges = [each for value in accept for each in value.split(",") if each.strip()]
    if not ranges:
        return JSON
    liked = dict(filter(None, map(_range, ranges)))
    best = max(OFFERED, key=lambda offer: (_quality(offer, liked), -OFFERED.index(offer)))
    return best if _quality(best, liked) > 0 else None


def content_type(form: str) -> str:
    """The `Content-Type` of an answer in that form."""
    return f"{CSV}; charset=utf-8; header=present" if form == CSV else form


def _quality(offer: str, liked: dict[str, float]) -> float:
    """How much *offer* is liked: the most particular range that it is in decides."""
    for each in (offer, f"{offer.partition('/')[0]}/*", "*/*"):
        if each in liked:
            return liked[each]
    return 0.0


def _range(text: str) -> tuple[str, float] | None:
    """A media range and its weight; null: it is none."""
    name, *parameters = (part.strip().lower() for part in text.split(";"))
    weight = 1.0
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                weight = float(parameter[2:])
            except ValueError:
                return None
    return (name, weight) if 0 <= weight <= 1 else None
