"""The page for reading: it asks nobody for anything, and shows whatever names there are as text."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from psycopg import Connection

from inventory.audit import bundle
from inventory.audit.page import page
from inventory.audit.picture import MOST, picture
from inventory.audit.rendering import as_json
from inventory.printable import printable
from tests import folds
from tests.audit.conftest import Gather
from tests.histories import START, an_event

ACCOUNT = "37439510"
SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=http://evil.example/x onerror=alert(1)>',
    "</title></style></svg><a href='http://evil.example'>",
    "{{ manifest }} {% raw %} ]]> &amp; <!--",
    "مركز الاتصال " + chr(0x202E) + "reversed" + chr(0x2069),
    "bell" + chr(7) + " and escape" + chr(0x1B) + "[31m",
)
EMPTY = {"meta", "br", "img", "link", "input", "hr"}


class Page(HTMLParser):
    """What a browser would make of it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.places: list[tuple[str, str]] = []
        """Each text, with the element that it is in."""
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)
        self.places.append((self.open[-1] if self.open else "", data))


@pytest.fixture
def hostile(connection: Connection, report: Gather) -> Path:
    """A bundle of a number whose provider is called one hostile name after the other."""
    events = [
        an_event("5", at=at, provider_id=str(at), provider_name=name, location=name, status=name)
        for at, name in enumerate(HOSTILE)
    ]
    folds.append(connection, ACCOUNT, [*events, an_event("5", "Deleted", 60)])
    return report(number="5")


def shown(path: Path) -> str:
    with bundle.opened(path) as made:
        return "".join(page(made))


def drawn(path: Path) -> ET.Element:
    with bundle.opened(path) as made:
        svg = picture(made)
    assert svg is not None
    return ET.fromstring(svg)


def test_it_asks_nobody_for_anything(hostile: Path) -> None:
    text = shown(hostile)
    found = Page(text)
    assert found.open == []
    tags = {tag for tag, _ in found.elements}
    assert not tags & {"script", "img", "link", "iframe", "object", "embed", "form", "base", "use"}
    ids = {attributes["id"] for _, attributes in found.elements if "id" in attributes}
    for _, attributes in found.elements:
        assert not {"src", "srcset", "action", "style", "xlink:href", "background"} & set(
            attributes
        )
        assert not [name for name in attributes if name.startswith("on")]
        if "href" in attributes:
            assert str(attributes["href"]).startswith("#")
            assert str(attributes["href"])[1:] in ids
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    assert "url(" not in style
    assert "@import" not in style
    policy = {"http-equiv": "Content-Security-Policy"}.items()
    assert any(policy <= attributes.items() for _, attributes in found.elements)


def test_hostile_names_are_shown_as_text(hostile: Path) -> None:
    text = "".join(Page(shown(hostile)).text)
    for name in HOSTILE:
        assert printable(name) in text
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\u202a-\u202e]", shown(hostile))


def test_names_cannot_turn_the_text_around_them(hostile: Path) -> None:
    arabic = printable(HOSTILE[4])
    places = [place for place in Page(shown(hostile)).places if arabic in place[1]]
    assert {tag for tag, _ in places} == {"bdi", "text", "title"}
    for tag, text in places:
        # Elements that isolate what is in them, or marks around it that do.
        assert tag == "bdi" or re.search(
            f"\u2068[^\u2069]*{re.escape(arabic)}[^\u2068]*\u2069", text
        )


def test_the_picture_is_well_formed_and_says_what_it_shows(hostile: Path) -> None:
    svg = drawn(hostile)
    assert svg.get("role") == "img"
    labels = (svg.get("aria-labelledby") or "").split()
    title, description = (svg.find(f".//*[@id='{label}']") for label in labels)
    assert title is not None
    assert description is not None
    assert title.text == "Timeline of numbers: 1"
    assert "a bar a version, coloured by provider, a tick an event" in (description.text or "")
    bars, ticks = svg.findall(f"{SVG}rect[@class='bar']"), svg.findall(f"{SVG}line[@class='tick']")
    assert len(bars) == len(HOSTILE)
    assert len(ticks) == len(HOSTILE) + 1
    assert all(element.findtext(f"{SVG}title") for element in (*bars, *ticks))
    edges = [(float(bar.get("x") or 0), float(bar.get("width") or 0)) for bar in bars]
    for (x, width), (following, _) in pairwise(edges):
        assert x + width <= following + 0.2
    legend = {rect.get("fill") for rect in svg.findall(f"{SVG}rect") if rect not in bars}
    assert {bar.get("fill") for bar in bars} == legend
    assert len(legend) == len(HOSTILE)


def test_a_picture_of_many_numbers_says_how_many_it_leaves_out(
    connection: Connection, report: Gather
) -> None:
    events = [an_event(str(n), at=n, provider_id=str(n)) for n in range(1, MOST + 11)]
    folds.append(connection, ACCOUNT, events)
    path = report(since=START, until=START + timedelta(minutes=5))
    svg = drawn(path)
    assert svg.findtext(f"{SVG}title") == f"Timeline of numbers: the first {MOST} of {MOST + 10}"
    assert len(svg.findall(f"{SVG}text[@class='number']")) == MOST
    for bar in svg.findall(f"{SVG}rect[@class='bar']"):
        assert 0 < float(bar.get("x") or 0) + float(bar.get("width") or 0) <= 1000
    text = "".join(Page(shown(path)).text)
    assert f"numbers {MOST + 10}" in text


def test_where_nothing_happened_nothing_is_drawn(connection: Connection, report: Gather) -> None:
    folds.append(connection, ACCOUNT, [an_event("5")])
    path = report(until=START)
    with bundle.opened(path) as made:
        assert picture(made) is None
    assert Page(shown(path)).open == []


def test_the_json_holds_what_the_bundle_does(hostile: Path) -> None:
    with bundle.opened(hostile) as made:
        content = json.loads("".join(as_json(made)))
    assert list(content) == [
        *("manifest", "event", "number", "version", "change", "seal", "head", "data_dictionary")
    ]
    names = [row["provider_name"] for row in content["event"]]
    assert names == [*HOSTILE, None]
    for row in content["event"]:
        assert json.loads(row["payload"])["uuid"] == row["event_uuid"]
        assert len(row["payload_sha256"]) == 64
    assert int(content["manifest"]["version.rows"]) == len(content["version"]) == len(HOSTILE)
