"""The command, on a database that has something to tell."""

from __future__ import annotations

from pathlib import Path

import pytest

from inventory import sample
from tests.conftest import Command

PART = 40
"""Notifications an append: what is late came after something younger was known."""


@pytest.fixture
def filled(inventory: Command, tmp_path: Path) -> Command:
    """The command, on a database that holds the demo's history, taken in as it came."""
    take_in_the_demo(inventory, tmp_path)
    return inventory


def take_in_the_demo(inventory: Command, directory: Path) -> None:
    """The demo's history, a part at a time; its files lie where the command runs."""
    history = list(sample.demo_history())
    (directory / "history.ndjson").write_bytes(b"\n".join(history))
    parts = []
    for at in range(0, len(history), PART):
        parts.append(f"part-{at:04}.ndjson")
        (directory / parts[-1]).write_bytes(b"\n".join(history[at : at + PART]))
    inventory("--account-id", sample.DOCUMENTED_ACCOUNT, "event", "ingest", *parts)
    inventory("projection", "run")
