"""
The pages in a real browser: Chromium, driven over its protocol.

Each page is opened once for each size of inventory and looked at from all sides there: wide and
narrow, light and dark, with axe-core for those who do not look. Pictures are left in `.screenshots`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, Request, ViewportSize, sync_playwright

from inventory.database import Database
from tests.pages import synthetic
from tests.pages.conftest import visiting
from tests.pages.test_resolving import fill as fill_quarantine
from tests.pages.test_sessions import token

CHROMIUM = Path(os.environ.get("INVENTORY_TEST_CHROMIUM", "/usr/bin/chromium"))
PICTURES = Path(__file__).parents[2] / ".screenshots"
ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)
WIDE, NARROW = ViewportSize(width=1280, height=900), ViewportSize(width=390, height=844)
STRANGE = f"/numbers/{synthetic.ACCOUNT}/{synthetic.STRANGE_ID}"
PATHS = {
    "home": "/",
    "numbers": "/numbers",
    "numbers-then": "/numbers?at=-1h&known_at=-1m&status=Normal",
    "number": STRANGE,
    "found-nothing": "/search?q=4930",
    "changes": "/changes?since=-30d",
    "reassignments": "/reassignments",
    "reconciliations": "/reconciliations",
    "reconciliation": "/reconciliations/2",
    "quarantine": "/quarantine",
    "item": "/quarantine/1",
    "system": "/system",
    "not-there": "/nothing",
    "login": "/login",
}
SIZES = {"none": 0, "one": 1, "many": 100_000}
NOT_THERE = {"number", "reconciliation", "item"}
"""In an inventory without numbers."""
SAME = {"found-nothing", "not-there", "login"}
"""Whatever there is."""

pytestmark = pytest.mark.skipif(
    not CHROMIUM.exists(), reason=f"no browser at {CHROMIUM}; Debian's package chromium has it"
)


@pytest.fixture(scope="module")  # its event loop must be gone when other tests run
def browser() -> Iterator[Browser]:
    PICTURES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield browser
        browser.close()


class Looking:
    """A page of the browser's, and what it complained of."""

    def __init__(self, browser: Browser, base: str) -> None:
        self.context = browser.new_context(
            base_url=base,
            viewport=WIDE,
            locale="en-GB",
            timezone_id="UTC",
        )
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.where = ""
        self._host = urlsplit(base).netloc
        self.page.on("console", lambda message: self.complain(message.text))
        self.page.on("pageerror", lambda error: self.complain(str(error)))
        self.page.on("request", self._see)

    def _see(self, request: Request) -> None:
        if urlsplit(request.url).netloc != self._host:
            self.complain(f"it asked {request.url}")

    def at_page(self, name: str, path: str, size: str) -> None:
        """Look at a page from all sides; what is wrong with it is complained of."""
        self.where = f"{name}, {size}: "
        page = self.page
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(WIDE)
        response = page.goto(path)
        expected = 404 if name in {"found-nothing", "not-there"} else 200
        if response is None or response.status != expected:
            self.complain(f"expected {expected}, found {response and response.status}")
        if page.locator("main h1").count() != 1 or page.locator("#broken").count():
            self.complain("its markup is not ours")
        for scheme, viewport in (("light", WIDE), ("dark", NARROW)):
            page.emulate_media(color_scheme="light" if scheme == "light" else "dark")
            page.set_viewport_size(viewport)
            self.picture(f"{name}-{size}-{scheme}")
            if self.overflow() > 0:
                self.complain(f"it is {self.overflow()} pixels wider than the window, {scheme}")
            # Colours are the same for all sizes; the second look is for where all is strange.
            if scheme == "light" or size == "one":
                self.complaints += [f"{self.where}{each}" for each in self.barriers()]

    def complain(self, text: str) -> None:
        """Remember what is wrong; that a page is not there is meant to be."""
        if "status of 404" not in text:
            self.complaints.append(self.where + text)

    def picture(self, name: str) -> None:
        self.page.screenshot(path=PICTURES / f"{name}.png")

    def overflow(self) -> int:
        """Pixels by which the page is wider than the window."""
        return int(
            self.page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
        )

    def barriers(self) -> list[str]:
        """What axe-core finds wrong with the page as it is."""
        # The page's own policy lets no script in; the driver may put one there all the same.
        options = {"resultTypes": ["violations"]}
        found = Axe().run(self.page, options=options).response["violations"]
        return [
            f"{violation['id']}: {node['html'][:200]}"
            for violation in found
            for node in violation["nodes"]
        ]


@pytest.fixture
def look(browser: Browser) -> Iterator[Callable[[str], Looking]]:
    with ExitStack() as stack:

        def looking(base: str) -> Looking:
            looking = Looking(browser, base)
            stack.callback(looking.context.close)
            return looking

        yield looking


@pytest.mark.parametrize("size", SIZES)
def test_every_page_can_be_used_at_any_width_in_light_and_dark_whatever_it_holds(
    lasting_database: Callable[[], Database], look: Callable[[str], Looking], size: str
) -> None:
    database = lasting_database()
    if SIZES[size] > 1:
        synthetic.fill(database, SIZES[size] - 1)
    if SIZES[size]:
        synthetic.add_strange(database)
    with visiting(database) as client:
        looking = look(str(client.base_url))
        for name, path in PATHS.items():
            if size == "one" or name not in (SAME if SIZES[size] else SAME | NOT_THERE):
                looking.at_page(name, path, size)
    assert looking.complaints == []


def test_the_keyboard_is_enough(some_client: httpx.Client, look: Callable[[str], Looking]) -> None:
    page = look(str(some_client.base_url)).page
    page.goto("/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.goto("/")
    focus = "document.activeElement.id || document.activeElement.textContent.trim()"
    page.keyboard.press("Tab")
    reached = []
    for _ in range(12):
        page.keyboard.press("Tab")
        reached.append(page.evaluate(focus))
        if reached[-1] == "q":
            break
    assert {"Numbers", "Changes", "Quarantine", "q"} <= set(reached)
    page.keyboard.type("+1 202-555-0000")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/(search|numbers/)"))


def test_from_home_one_gets_to_a_number_and_back_in_time(
    some_client: httpx.Client, look: Callable[[str], Looking]
) -> None:
    looking = look(str(some_client.base_url))
    page = looking.page
    page.goto("/")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Changes").click()
    page.get_by_role("link", name="provider changed").click()
    page.locator("td a.number").first.click()
    page.get_by_role("heading", name="Timeline").wait_for()
    events = page.locator(".timeline > li")
    assert events.count() == 2
    page.locator("summary", has_text="Payload").first.click()
    page.get_by_label("Payload of event").first.wait_for()
    events.last.get_by_role("link", name="As of then").click()
    page.get_by_role("link", name="Back to now").first.wait_for()
    assert events.count() == 1
    # Both clocks are fields, filled in with the time that is shown.
    assert page.get_by_label("True at (UTC)").input_value()
    page.get_by_label("True at (UTC)").fill("2001-01-01T00:00:00")
    page.get_by_role("button", name="Show").click()
    page.get_by_text("Nothing had been heard of it.").wait_for()
    assert looking.complaints == []


def test_one_logs_in_resolves_what_is_in_quarantine_and_logs_out(
    database: Database, look: Callable[[str], Looking]
) -> None:
    with database.connect() as connection:
        secret = token(connection, "operate")
        fill_quarantine(connection)
    with visiting(database) as client:
        looking = look(str(client.base_url))
        page = looking.page
        page.goto("/quarantine?reason=invalid_json")
        page.get_by_label("Token").fill("inventory_wrong")
        page.get_by_role("button", name="Log in").click()
        page.get_by_role("alert").wait_for()
        page.get_by_label("Token").fill(secret)
        page.get_by_role("button", name="Log in").click()
        page.get_by_role("link", name="Discard …").click()
        page.get_by_label("Why").fill("a load balancer probing")
        looking.picture("discard")
        assert looking.barriers() == []
        page.get_by_role("button", name="Discard 3 items").click()
        page.get_by_role("heading", name="3 items discarded").wait_for()
        page.get_by_role("button", name="Log out").click()
        page.get_by_role("heading", name="Log in").wait_for()
        page.goto("/quarantine")
        page.get_by_role("heading", name="Log in").wait_for()
        assert [text for text in looking.complaints if "status of 401" not in text] == []


def test_on_paper_there_is_the_page_and_nothing_to_press(
    some_client: httpx.Client, look: Callable[[str], Looking]
) -> None:
    page = look(str(some_client.base_url)).page
    page.goto("/numbers")
    page.emulate_media(media="print")
    assert page.locator("table").is_visible()
    for selector in ("nav", ".search", "aside", ".pager"):
        assert not page.locator(selector).first.is_visible(), selector
    assert page.pdf().startswith(b"%PDF")
