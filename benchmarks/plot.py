"""
Lines over two logarithmic axes as SVG, light or dark as the reader's system is.

Drawn here, of text alone: a plot in a README is looked at where no script runs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT = 720, 400
LEFT, RIGHT, TOP, BOTTOM = 76, 172, 48, 52
LABEL_APART = 15
"""Pixels between two lines' names at least."""

_STYLE = """
text { font: 12px system-ui, sans-serif; fill: #333; }
.title { font-size: 15px; font-weight: 600; }
.back { fill: #fff; }
.grid { stroke: #ddd; }
.line { fill: none; stroke-width: 2; }
.tone0 { stroke: #0b62c4; } .tone1 { stroke: #b8500c; } .tone2 { stroke: #1a7f37; }
.tone3 { stroke: #8250df; } .tone4 { stroke: #9a1b52; } .tone5 { stroke: #57606a; }
@media (prefers-color-scheme: dark) {
  text { fill: #ddd; }
  .back { fill: #16181d; }
  .grid { stroke: #3a3f47; }
  .tone0 { stroke: #6cb0ff; } .tone1 { stroke: #f5a05c; } .tone2 { stroke: #5fce7d; }
  .tone3 { stroke: #c3a2ff; } .tone4 { stroke: #ff8fbb; } .tone5 { stroke: #a8b1bb; }
}
"""
_TONES = 6

Points = Sequence[tuple[float, float]]


def lines(title: str, series: Mapping[str, Points], *, x: str, y: str) -> str:
    """
    An SVG of *series*, each a line through its points, its name at its end.

    Args:
        title: What is shown; also read out to those who cannot see it.
        series: Points by the name of their line; all values above zero.
        x: What runs to the right, with its unit.
        y: What runs up, with its unit.
    """
    across = _Axis([at for points in series.values() for at, _ in points], LEFT, WIDTH - RIGHT)
    up = _Axis([value for points in series.values() for _, value in points], HEIGHT - BOTTOM, TOP)
    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"',
        f'role="img" aria-label="{escape(title)}">',
        f"<style>{_STYLE}</style>",
        f'<rect class="back" width="{WIDTH}" height="{HEIGHT}"/>',
        f'<text class="title" x="{LEFT}" y="24">{escape(title)}</text>',
    ]
    for tick in across.ticks:
        at = across.place(tick)
        drawn.append(f'<path class="grid" d="M{at:.1f} {TOP}V{HEIGHT - BOTTOM}"/>')
        drawn.append(_text(at, HEIGHT - BOTTOM + 18, _short(tick), "middle"))
    for tick in up.ticks:
        at = up.place(tick)
        drawn.append(f'<path class="grid" d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}"/>')
        drawn.append(_text(LEFT - 8, at + 4, _short(tick), "end"))
    drawn.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, x, "middle"))
    drawn.append(_text(LEFT, TOP - 10, y, "start"))
    names = _apart({name: up.place(points[-1][1]) for name, points in series.items()})
    for index, (name, points) in enumerate(series.items()):
        tone = f"tone{index % _TONES}"
        path = " ".join(f"{across.place(at):.1f},{up.place(value):.1f}" for at, value in points)
        end = across.place(points[-1][0])
        drawn.append(f'<polyline class="line {tone}" points="{path}"/>')
        drawn.append(f'<path class="line {tone}" d="M{end + 6:.1f} {names[name]:.1f}h12"/>')
        drawn.append(_text(end + 22, names[name] + 4, name, "start"))
    return "\n".join([*drawn, "</svg>", ""])


class _Axis:
    """A logarithmic axis over whole powers of ten, from one pixel to another."""

    def __init__(self, values: Sequence[float], first: float, last: float) -> None:
        self._low = math.floor(math.log10(min(values)) + 1e-9)
        self._high = max(self._low + 1, math.ceil(math.log10(max(values)) - 1e-9))
        self._first, self._last = first, last

    @property
    def ticks(self) -> list[float]:
        return [10.0**power for power in range(self._low, self._high + 1)]

    def place(self, value: float) -> float:
        share = (math.log10(value) - self._low) / (self._high - self._low)
        return self._first + share * (self._last - self._first)


def _apart(wanted: Mapping[str, float]) -> dict[str, float]:
    """Heights near the *wanted* ones at which no name covers another."""
    placed: dict[str, float] = {}
    lowest = -math.inf
    for name, height in sorted(wanted.items(), key=lambda item: item[1]):
        lowest = placed[name] = max(height, lowest + LABEL_APART)
    return placed


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def _short(value: float) -> str:
    """
    A tick in few letters.

    >>> [_short(value) for value in (0.01, 1, 1000.0, 1e7)]
    ['0.01', '1', '1 k', '10 M']
    """
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if value >= size:
            return f"{value / size:g} {unit}"
    return f"{value:g}"
