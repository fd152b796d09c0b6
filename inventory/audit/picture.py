"""
A picture of a timeline, as SVG: a line a number, its versions as bars in their providers' colours,
its events as ticks.

Drawn from a bundle alone. Colour says nothing alone: a bar with room for it bears its provider's
id, and every bar and tick has a title.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import Any, NamedTuple
from xml.etree import ElementTree as ET

from inventory.audit.bundle import Bundle
from inventory.audit.layout import NUMBER, instant, stored
from inventory.printable import isolated, printable

MOST = 40
"""Lines of a picture; more could not be told apart."""

LEFT, RIGHT, WIDTH = 150.0, 960.0, 1000.0
TOP, LINE, BAR, LEGEND = 28.0, 30.0, 16.0, 20.0

# Told apart by those who do not see all colours, too (Okabe and Ito), on light and on dark ground;
# each with what is legible on it. The last is for all providers beyond the others.
COLOURS = (
    *(("#0072b2", "#fff"), ("#e69f00", "#000"), ("#009e73", "#000"), ("#cc79a7", "#000")),
    *(("#56b4e9", "#000"), ("#d55e00", "#000"), ("#f0e442", "#000"), ("#8c8c8c", "#000")),
)

NUMBERS = """
SELECT account_id, phone_number_id
FROM number
ORDER BY account_id, phone_number_id
LIMIT ?
"""

VERSIONS = """
SELECT valid_from, valid_to, phone_number, status, provider_id, provider_name
FROM version
WHERE account_id = ? AND phone_number_id = ?
ORDER BY valid_from, opened_by
"""

EVENTS = """
SELECT occurred_at, position, event_type, did
FROM event
WHERE account_id = ? AND phone_number_id = ?
ORDER BY occurred_at, position
"""


class _Bar(NamedTuple):
    begin: datetime
    end: datetime
    until: str
    """Its end, in words; empty while it is current."""
    phone_number: str | None
    status: str | None
    provider_id: str | None
    provider_name: str | None


class _Tick(NamedTuple):
    at: datetime
    position: int
    event_type: str
    did: str


class _Line(NamedTuple):
    account_id: str
    phone_number_id: str
    bars: list[_Bar]
    ticks: list[_Tick]


class _Axis(NamedTuple):
    """Time, along the picture."""

    begin: datetime
    end: datetime

    def x(self, at: datetime) -> float:
        share = (min(max(at, self.begin), self.end) - self.begin) / (self.end - self.begin)
        return round(LEFT + share * (RIGHT - LEFT), 1)

    def marks(self) -> list[datetime]:
        return [self.begin + (self.end - self.begin) * share / 5 for share in range(6)]

    def shown(self, at: datetime) -> str:
        days = (self.end - self.begin).days
        return at.strftime("%Y-%m-%d" if days >= 10 else "%m-%d %H:%M" if days else "%H:%M:%S")


class _Provider(NamedTuple):
    label: str
    fill: str
    ink: str


def picture(bundle: Bundle) -> str | None:
    """An `svg` element; null where nothing is that could be drawn."""
    manifest = bundle.manifest()
    made_at = instant(manifest["created_at"])
    lines = [
        _line(bundle, account_id, number, made_at)
        for account_id, number in bundle.query(NUMBERS, MOST)
    ]
    moments = [moment for line in lines for bar in line.bars for moment in bar[:2]]
    moments += [tick.at for line in lines for tick in line.ticks]
    if not moments:
        return None
    since, until = manifest["question.since"], manifest["question.until"]
    begin = instant(since) if since else min(moments)
    end = instant(until) if until else max(moments)
    axis = _Axis(begin, max(end, begin + timedelta(minutes=1)))
    providers = _providers(lines)
    bottom = TOP + LINE * len(lines)
    svg = ET.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "viewBox": f"0 0 {WIDTH:g} {bottom + LEGEND * len(providers) + 8:g}",
            "role": "img",
            "aria-labelledby": "picture-title picture-description",
        },
    )
    count = bundle.count(NUMBER)
    of_all = f"{count}" if count == len(lines) else f"the first {len(lines)} of {count}"
    first, last = stored(axis.begin), stored(axis.end)
    _add(svg, "title", f"Timeline of numbers: {of_all}", id="picture-title")
    _add(
        svg,
        "desc",
        f"From {first} to {last}: a line a number, a bar a version, coloured by provider, "
        "a tick an event. The tables below say the same.",
        id="picture-description",
    )
    for mark in axis.marks():
        x = axis.x(mark)
        _add(svg, "line", **{"class": "mark"}, x1=x, x2=x, y1=TOP - 6, y2=bottom)
        _add(svg, "text", axis.shown(mark), **{"class": "when"}, x=x, y=TOP - 12)
    for place, line in enumerate(lines):
        _draw(svg, line, TOP + LINE * place, axis, providers)
    for place, provider in enumerate(providers.values()):
        y = bottom + LEGEND * place + 4
        _add(svg, "rect", x=LEFT, y=y, width=BAR, height=BAR - 4, fill=provider.fill)
        _add(svg, "text", provider.label, x=LEFT + BAR + 8, y=y + 10)
    return ET.tostring(svg, encoding="unicode")


def _line(bundle: Bundle, account_id: str, number: str, made_at: datetime) -> _Line:
    bars = []
    for valid_from, valid_to, *attributes in bundle.query(VERSIONS, account_id, number):
        begin = instant(valid_from)
        end = instant(valid_to) if valid_to else max(begin, made_at)
        bars.append(_Bar(begin, end, f" until {valid_to}" if valid_to else "", *attributes))
    ticks = [_Tick(instant(at), *rest) for at, *rest in bundle.query(EVENTS, account_id, number)]
    return _Line(account_id, number, bars, ticks)


def _providers(lines: Sequence[_Line]) -> dict[str | None, _Provider]:
    """Each provider's label and colours, in the order of their first appearance."""
    named: dict[str | None, str] = {}
    for line in lines:
        for bar in line.bars:
            name = f" ({isolated(bar.provider_name)})" if bar.provider_name else ""
            label = "none named"
            if bar.provider_id is not None:
                label = f"provider {isolated(bar.provider_id)}{name}"
            named.setdefault(bar.provider_id, label)
    pairs = zip_longest(named.items(), COLOURS[: len(named)], fillvalue=COLOURS[-1])
    return {key: _Provider(label, *colours) for (key, label), colours in pairs}


def _draw(
    svg: ET.Element,
    line: _Line,
    y: float,
    axis: _Axis,
    providers: dict[str | None, _Provider],
) -> None:
    middle = y + LINE / 2
    called = next((bar.phone_number for bar in reversed(line.bars) if bar.phone_number), None)
    label = _add(svg, "text", **{"class": "number"}, x=LEFT - 10, y=middle + 4)
    label.text = isolated(called or f"id {line.phone_number_id}")
    _add(label, "title", f"id {line.phone_number_id} of account {line.account_id}")
    _add(svg, "line", **{"class": "life"}, x1=LEFT, x2=RIGHT, y1=middle, y2=middle)
    for bar in line.bars:
        provider = providers[bar.provider_id]
        begin, end = axis.x(bar.begin), axis.x(bar.end)
        width = max(end - begin, 1.0)
        drawn = _add(
            svg,
            "rect",
            x=begin,
            y=middle - BAR / 2,
            width=width,
            height=BAR,
            fill=provider.fill,
            **{"class": "bar"},
        )
        status = isolated(bar.status or "no status")
        _add(drawn, "title", f"{provider.label}, {status}, from {stored(bar.begin)}{bar.until}")
        text = printable(bar.provider_id or "-")
        if width > 9 * len(text) + 6:
            x = begin + width / 2
            _add(svg, "text", text, **{"class": "id"}, x=x, y=middle + 4, fill=provider.ink)
    for tick in line.ticks:
        x = axis.x(tick.at)
        drawn = _add(svg, "line", **{"class": "tick"}, x1=x, x2=x, y1=middle - 12, y2=middle + 12)
        _add(
            drawn,
            "title",
            f"{stored(tick.at)} #{tick.position} {tick.event_type}: {isolated(tick.did)}",
        )


def _add(parent: ET.Element, tag: str, text: str | None = None, **attributes: Any) -> ET.Element:
    shown = {
        name: f"{value:g}" if isinstance(value, float) else str(value)
        for name, value in attributes.items()
    }
    element = ET.SubElement(parent, tag, shown)
    element.text = text
    return element
