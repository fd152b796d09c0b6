"""
A page of a list of phone numbers, as far as it can be trusted.

Source: OpenAPI specification, *List Company Phone Numbers*. Nothing in it is required, and its
official examples contradict themselves: each member is read as absent where it is.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import httpx
import msgspec

from inventory.ringcentral.errors import Unavailable

PER_PAGE = 1000
"""The most that RingCentral gives; more is lowered silently."""
LAST_PAGE = 1000
"""The last one that RingCentral gives."""


class Page(NamedTuple):
    """Some of the numbers, and what the page says of the others."""

    uri: str | None
    records: list[str]
    """JSON, as they came."""
    page: int | None
    total_pages: int | None
    total_elements: int | None
    full: bool
    """Whether it holds as many records as it could."""
    followed: bool | None
    """Whether it names a next page; null: it names no pages at all."""


class _Paging(msgspec.Struct, gc=False, rename="camel"):
    page: int | None = None
    per_page: int | None = None
    total_pages: int | None = None
    total_elements: int | None = None


class _Navigation(msgspec.Struct, gc=False, rename="camel"):
    next_page: Any = None


class _List(msgspec.Struct, gc=False):
    records: list[msgspec.Raw]
    uri: str | None = None
    paging: _Paging | None = None
    navigation: _Navigation | None = None


_read = msgspec.json.Decoder(_List).decode


def page_of(response: httpx.Response, what: str) -> Page:
    """
    The page that *response* is.

    Raises:
        Unavailable: It is none; one without `records` is no empty one.
    """
    if response.status_code != httpx.codes.OK:
        raise Unavailable(what, f"status {response.status_code}")
    try:
        found = _read(response.content)
        records = [bytes(record).decode() for record in found.records]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unavailable(
            what,
            f"an answer that is no list: {error}",
            request_id=response.headers.get("rcrequestid"),
        ) from None
    paging = found.paging or _Paging()
    return Page(
        found.uri,
        records,
        paging.page,
        paging.total_pages,
        paging.total_elements,
        len(records) >= (paging.per_page or PER_PAGE),
        None if found.navigation is None else found.navigation.next_page is not None,
    )
