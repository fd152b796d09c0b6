"""Whoever follows a link arrives."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest
import yaml

from inventory.notification import Reason
from tests.docs.reading import ROOT, Link, anchors, links, read, sections

PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")),
]
OURS = ("operations", "auditing", "cookbook", "decisions")
RULES = "deploy/prometheus/inventory.rules.yaml"


def leads_nowhere(link: Link) -> bool:
    target = (ROOT / link.page).parent / link.path if link.path else ROOT / link.page
    if not target.exists():
        return True
    return bool(link.anchor) and link.anchor not in anchors(target.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: str) -> None:
    assert [link for link in links(page) if leads_nowhere(link)] == []


@pytest.mark.parametrize(
    "page", ["README.md", "CONTRIBUTING.md", *(f"docs/{name}.md" for name in OURS)]
)
def test_no_two_headings_have_the_same_address(page: str) -> None:
    found = anchors(read(page))
    assert sorted(found) == sorted(set(found))


def test_the_pages_are_linked_to() -> None:
    led_to = {link.path for link in links("README.md")}
    for name in OURS:
        assert f"docs/{name}.md" in led_to
    assert "CONTRIBUTING.md" in led_to


@pytest.mark.parametrize(
    ("path", "anchor"),
    [("docs/gone.md", ""), ("README.md", "gone"), ("", "gone")],
)
def test_a_link_to_nowhere_would_be_seen(path: str, anchor: str) -> None:
    assert leads_nowhere(Link("README.md", path, anchor))


def test_every_alert_has_its_place_in_the_handbook_and_nothing_else_has() -> None:
    groups = yaml.safe_load(read(RULES))["groups"]
    runbooks = {rule["annotations"]["runbook"] for group in groups for rule in group["rules"]}
    assert {Path(each.partition("#")[0]).as_posix() for each in runbooks} == {"docs/operations.md"}
    headings = {
        each for each in anchors(read("docs/operations.md")) if each.startswith("inventory")
    }
    assert headings == {each.partition("#")[2] for each in runbooks}


def test_what_was_measured_stands_in_the_readme() -> None:
    measured = re.findall(r"\*\*Measured\*\*: (.+?)\n\n", read("docs/decisions.md"), re.DOTALL)
    assert len(measured) >= 4
    figures = {figure for each in measured for figure in re.findall(r"\d[\d,.]*\d|\d", each)}
    known = set(re.findall(r"\d[\d,.]*\d|\d", read("README.md")))
    assert figures - known == set()


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", *(f"docs/{name}.md" for name in OURS)])
def test_every_file_that_is_named_is_there(page: str) -> None:
    named = re.findall(
        r"`((?:inventory|tests|migrations|deploy|benchmarks|\.ci)/[\w./-]*)`", read(page)
    )
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_target_that_is_named_is_in_the_makefile() -> None:
    makefile = read("Makefile")
    for page in ("CONTRIBUTING.md", "docs/operations.md"):
        for target in re.findall(r"(?:`|\$ |BINDIR=\S+ )make (\w+)", read(page)):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_every_metric_is_explained_and_none_that_is_not_told() -> None:
    sources = (ROOT / "inventory/web/metrics").glob("*.py")
    told = {name for path in sources for name in re.findall(r'"(inventory_\w+)"', path.read_text())}
    (watch,) = (
        body for heading, body in sections(read("docs/operations.md")) if heading == "Watch"
    )
    explained = {name.removesuffix("_total") for name in re.findall(r"`(inventory_\w+)", watch)}
    assert len(told) > 15
    assert explained == told - {"inventory_info"}


def test_every_reason_for_quarantine_has_its_routine() -> None:
    (routine,) = (
        body for heading, body in sections(read("docs/operations.md")) if heading == "Quarantine"
    )
    named = {
        name
        for row in re.findall(r"^\| (`.+?) \|", routine, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", row)
    }
    assert named == set(get_args(Reason))
