"""`/quarantine/ID`: one item, with what arrived."""

from __future__ import annotations

from inventory import read_model
from inventory.web.pages import said
from inventory.web.pages.asked import Asked
from inventory.web.pages.said import Said
from inventory.web.pages.sheet import Sheet
from inventory.web.problem import Problem

PATH = "/quarantine/{id:int}"
PARAMETERS = ()
SHOWN = 64 << 10
"""Bytes of what arrived."""
GREATEST = 2**63 - 1


def show(asked: Asked) -> Sheet:
    """Why the item is here, and its bytes; as hexadecimal where they are no text."""
    id_ = int(asked.path("id"))
    item = read_model.quarantined_item(asked.connection, id_) if id_ <= GREATEST else None
    if item is None:
        raise Problem(404, f"expected an item of the quarantine, found none of number {id_}")
    payload: bytes = item["payload"]
    return Sheet(
        "quarantined.html",
        Said(
            said.command("quarantine", "show", str(id_)),
            said.query("quarantine", [f"id = {id_}"], "id"),
            None,
        ),
        {
            "item": item,
            "payload": _readable(payload[:SHOWN]),
            "bytes": len(payload),
            "cut": len(payload) > SHOWN,
            "may_operate": asked.bearer is not None and asked.bearer.may("operate"),
        },
    )


def _readable(payload: bytes) -> str:
    try:
        text = payload.decode(errors="strict" if len(payload) < SHOWN else "ignore")
    except UnicodeDecodeError:
        return payload.hex(" ")
    return text if not _controls(text) else payload.hex(" ")


def _controls(text: str) -> bool:
    """Whether *text* holds characters that are none, such as a zero byte."""
    return any(character < " " and character not in "\t\r\n" for character in text)
