"""What ships beside the program, and what it is held to."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

DEPLOY = Path(__file__).parents[2] / "deploy"


def needs(program: str) -> pytest.MarkDecorator:
    """For tests that only *program* itself can make."""
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"there is no {program} here")


def documents(path: Path) -> list[dict[str, Any]]:
    """What a YAML file holds."""
    return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))


def said_by(*command: object) -> str:
    """What a program says, once it has ended well."""
    done = subprocess.run(
        [str(word) for word in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, (command, done.stdout)
    return done.stdout
