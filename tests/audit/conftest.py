"""Bundles of evidence, made from a real log."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from inventory.audit import Question, bundle, gather
from inventory.database import Database

Gather: TypeAlias = Callable[..., Path]


def gathered(
    database: Database, path: Path, question: Question, key: Ed25519PrivateKey | None = None
) -> Path:
    """The bundle that answers *question*, at *path*."""
    with database.engine.connect() as connection, bundle.created(path) as made:
        connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        gather(connection, question, made, key)
    return path


@pytest.fixture
def report(database: Database, tmp_path: Path) -> Gather:
    """Makes the bundle that answers a question."""

    def make(*, key: Ed25519PrivateKey | None = None, **asked: object) -> Path:
        return gathered(database, tmp_path / "bundle", Question(**asked), key)  # type: ignore[arg-type]

    return make
