"""Pages as their readers take them: questions with queries, blocks to type, links, headings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


class Question(NamedTuple):
    """A query, and the line that it answers."""

    text: str
    sql: str


class Link(NamedTuple):
    """From a page to a file, to a heading, or to both."""

    page: str
    path: str
    anchor: str


def read(page: str) -> str:
    """A page, by its path from the root."""
    return (ROOT / page).read_text(encoding="utf-8")


def questions(text: str) -> list[Question]:
    """What is asked in SQL, and how."""
    found = re.findall(r"^([^\n]+)\n\n```sql\n(.+?);\n```", text, re.MULTILINE | re.DOTALL)
    return [Question(*each) for each in found]


def blocks(text: str, language: str = "console") -> list[str]:
    """What is in fences of a language."""
    return [block for name, block in FENCE.findall(text) if name == language]


class Typed(NamedTuple):
    """A line that is typed, and the exit code that its comment promises."""

    line: str
    exits: int


def typed(block: str) -> Iterator[Typed]:
    """
    What is typed in a block: the lines after a prompt.

    >>> list(typed("$ inventory verify  # exits with 3: somebody was here"))
    [Typed(line='inventory verify', exits=3)]
    """
    for line in re.findall(r"^ *\$ (.+)$", block, re.MULTILINE):
        command, _, comment = re.sub(r" +# ", "\0", line).partition("\0")
        promised = re.match(r"exits with (\d+)", comment)
        yield Typed(command, int(promised[1]) if promised else 0)


def sections(text: str) -> Iterator[tuple[str, str]]:
    """Headings of the second level, and what is under each."""
    for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        heading, _, body = part.partition("\n")
        yield heading, body


def anchors(text: str) -> list[str]:
    """
    Its headings, as GitHub makes addresses of them.

    >>> anchors("# What's *this*: a `test`?\\n## InventoryDown")
    ['whats-this-a-test', 'inventorydown']
    """
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings]


def links(page: str) -> Iterator[Link]:
    """Where a page leads to within the repository."""
    text = FENCE.sub("", read(page))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target) is None:
            path, _, anchor = target.partition("#")
            yield Link(page, path, anchor)
