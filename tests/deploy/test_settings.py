"""Every setting that deploy/ names is one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from inventory.settings import Settings
from tests.deploy.conftest import DEPLOY

FILES = sorted(path for path in DEPLOY.rglob("*") if path.is_file())


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(DEPLOY)))
def test_every_setting_it_names_is_one(path: Path) -> None:
    for name in re.findall(r"INVENTORY_([A-Z][A-Z_]*[A-Z])\b", path.read_text(encoding="utf-8")):
        field = Settings.model_fields[name.removesuffix("_FILE").lower()]
        if name.endswith("_FILE"):
            assert "SecretStr" in str(field.annotation)
