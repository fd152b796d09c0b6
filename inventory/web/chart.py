"""Bars as SVG: drawn here, coloured by the style sheet, as wide as they are let."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from inventory.web import words

ROW = 40
"""Pixels from one bar to the next, its label above it included."""
BAR = 14
TONES = 6
"""Colours that the style sheet tells apart; what comes after shares the last one."""


class Bar(NamedTuple):
    """One bar: a label, and its parts from left to right."""

    label: str
    parts: Sequence[int]


def bars(title: str, series: Sequence[str], rows: Sequence[Bar]) -> Markup:
    """
    A bar for each of *rows*, its parts in the order of *series*.

    All sizes are shares of the width, so that it fits a phone without its letters shrinking. It
    has no words for those who cannot see it but its title: a table beside it says the same.
    """
    longest = max((sum(row.parts) for row in rows), default=0) or 1
    drawn = [_row(at, row, series, longest) for at, row in enumerate(rows)]
    return Markup(
        '<svg class="bars" role="img" aria-label="{}" width="100%" height="{}">{}</svg>'
    ).format(title, len(rows) * ROW, Markup("").join(drawn))


def legend(series: Sequence[str]) -> Markup:
    """Which colour is which."""
    keys = (
        Markup(
            '<li><svg class="key" width="10" height="10" aria-hidden="true">'
            '<rect width="10" height="10" rx="2" class="tone{}"/></svg> <bdi>{}</bdi></li>'
        ).format(min(at, TONES - 1), words.cut(name))
        for at, name in enumerate(series)
    )
    return Markup('<ul class="legend">{}</ul>').format(Markup("").join(keys))


def _row(at: int, row: Bar, series: Sequence[str], longest: int) -> Markup:
    top = at * ROW
    shapes = [
        Markup('<text x="0" y="{}" class="label">{}</text>').format(top + 14, _isolated(row.label)),
        Markup('<text x="100%" y="{}" text-anchor="end" class="figure">{}</text>').format(
            top + 14, f"{sum(row.parts):,}"
        ),
        Markup('<rect y="{}" width="100%" height="{}" rx="3" class="ground"/>').format(
            top + 20, BAR
        ),
    ]
    left = 0.0
    for part, (count, name) in enumerate(zip(row.parts, series, strict=True)):
        if not count:
            continue
        width = 100 * count / longest
        shapes.append(
            Markup(
                '<rect x="{:.3f}%" y="{}" width="{:.3f}%" height="{}" class="tone{}">'
                "<title>{}: {}</title></rect>"
            ).format(left, top + 20, width, BAR, min(part, TONES - 1), name, f"{count:,}")
        )
        left += width
    return Markup("").join(shapes)


def _isolated(label: str) -> str:
    """*label* between marks that keep its direction its own."""
    return f"\u2068{words.cut(label)}\u2069"
