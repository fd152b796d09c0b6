"""HTML out of templates: everything in them is escaped, unless it was made here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from inventory.web import words

STYLE = files("inventory.web").joinpath("static", "style.css").read_bytes()
ICON = files("inventory.web").joinpath("static", "icon.svg").read_bytes()
VERSION = sha256(STYLE + ICON).hexdigest()[:12]
"""Changes with them, so that they may be kept for ever under their addresses."""

HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    # With no-referrer a browser would send our own forms with `Origin: null`.
    "referrer-policy": "same-origin",
}


def page(
    template: str, context: dict[str, Any], status: int = 200, *, headers: dict[str, str]
) -> HTMLResponse:
    """The response that holds *template*, filled in."""
    html = _environment.get_template(template).render(context)
    return HTMLResponse(html, status, HEADERS | headers)


def _instant(instant: datetime | None) -> Markup:
    """An instant for people and for programs; in UTC."""
    if instant is None:
        return Markup('<span class="none">never</span>')
    return Markup('<time datetime="{}">{}</time>').format(
        words.iso(instant), words.to_the_second(instant)
    )


def _ago(instant: datetime | None, now: datetime) -> Markup:
    """How long ago, and exactly when to whoever points at it."""
    if instant is None:
        return Markup("never")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        words.iso(instant), words.to_the_second(instant), words.ago(instant, now)
    )


def _foreign(value: str | None, absent: str = "none") -> Markup:
    """
    What others wrote, kept from turning round what stands beside it; null is said in words.

    What is too long for a list is cut, and whole to whoever points at it.
    """
    if value is None or value == "":
        return Markup('<span class="none">{}</span>').format(absent)
    shown = words.cut(value)
    if shown == value:
        return Markup("<bdi>{}</bdi>").format(value)
    return Markup('<bdi title="{}">{}</bdi>').format(value, shown)


def _whole(value: str | None, absent: str = "none") -> Markup:
    """The same, however long it is."""
    return Markup("<bdi>{}</bdi>").format(value) if value else _foreign(value, absent)


def _provider(provider_id: str | None, names: dict[str, str] | str | None) -> Markup:
    """A provider by its name and id, or by its id where that is all there is."""
    name = names.get(provider_id or "") if isinstance(names, dict) else names
    if not provider_id or not name:
        return _foreign(provider_id, "none named")
    return Markup('{} <span class="id">{}</span>').format(_foreign(name), _foreign(provider_id))


def _listed(values: Sequence[str]) -> Markup:
    """Values in a row."""
    return Markup(", ").join(_foreign(value) for value in values)


_environment = Environment(
    loader=PackageLoader("inventory.web"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.globals["version"] = VERSION
_environment.filters.update(
    instant=_instant,
    ago=_ago,
    foreign=_foreign,
    whole=_whole,
    provider=_provider,
    listed=_listed,
    number=words.number,
    plural=words.plural,
    iso=words.iso,
    field_instant=words.field_instant,
    of_kind=words.KINDS.__getitem__,
)
