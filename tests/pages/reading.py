"""Pages as a program reads them."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

import httpx

EMPTY = {"meta", "link", "input", "rect", "br", "line"}


@dataclass
class Read:
    """What is on a page."""

    text: str
    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    following: str | None = None
    """The next page of a list."""
    fields: dict[str, str] = field(default_factory=dict)
    """Of the forms, by their names; those that nobody fills in."""
    rows: list[list[str]] = field(default_factory=list)
    """The cells of tables' bodies, as text."""
    blocks: list[str] = field(default_factory=list)
    """What stands in <pre> and <code>."""
    headings: list[str] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.read = Read("")
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.read.tags.append((tag, given))
        if tag not in EMPTY:
            self.open.append(tag)
        if tag == "a" and given.get("href"):
            self.read.links.append(str(given["href"]))
        if given.get("rel") == "next":
            self.read.following = given["href"]
        if tag == "input" and given.get("type") == "hidden":
            self.read.fields[str(given["name"])] = given.get("value") or ""
        if tag == "tr" and "tbody" in self.open:
            self.read.rows.append([])
        if tag in {"td", "th"} and "tbody" in self.open:
            self.read.rows[-1].append("")
        if tag in {"pre", "code"}:
            self.read.blocks.append("")
        if tag in {"h1", "h2"}:
            self.read.headings.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag not in EMPTY:
            assert self.open, f"</{tag}> closes nothing"
            assert self.open[-1] == tag, f"</{tag}> closes <{self.open[-1]}>"
            self.open.pop()

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.read.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.read.text += data
        if self.read.rows and self.read.rows[-1] and {"td", "th"} & set(self.open):
            self.read.rows[-1][-1] += data
        if {"pre", "code"} & set(self.open):
            self.read.blocks[-1] += data
        if {"h1", "h2"} & set(self.open):
            self.read.headings[-1] += data


def read(response: httpx.Response) -> Read:
    """A page whose tags are all closed, in order."""
    assert response.headers["content-type"] == "text/html; charset=utf-8", response.text
    reader = _Reader()
    reader.feed(response.text)
    reader.close()
    assert reader.open == []
    return reader.read
