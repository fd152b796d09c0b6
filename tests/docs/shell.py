"""A stranger's shell: what a page has typed is typed, a block at a time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import clean_environment
from tests.docs.reading import Typed, blocks, typed


class Shell:
    """
    bash, with `inventory` and PostgreSQL's programs on its path.

    Args:
        directory: Where it is, and where files come to lie.
        programs: Where PostgreSQL's are.
        variables: Settings, and what else the page takes for given.
        other_exits: Exit codes that are the test's, not the page's.
    """

    def __init__(
        self,
        directory: Path,
        programs: Path,
        variables: dict[str, str],
        other_exits: dict[str, int] | None = None,
    ) -> None:
        self._directory = directory
        self._other_exits = other_exits or {}
        inventory = directory / "bin" / "inventory"
        inventory.parent.mkdir()
        inventory.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m inventory "$@"\n')
        inventory.chmod(0o755)
        path = f"{inventory.parent}:{programs}:{os.environ['PATH']}"
        self._environment = clean_environment() | variables | {"PATH": path}

    def follow(self, text: str) -> int:
        """Type each block of *text*, in a shell of its own; how many lines were typed."""
        count = 0
        for block in blocks(text):
            lines = list(typed(block))
            assert lines, block
            self._type(lines)
            count += len(lines)
        return count

    def _type(self, lines: list[Typed]) -> None:
        script = "\n".join(
            f"{line}\ncode=$?; if [ $code != {self._other_exits.get(line, exits)} ]; "
            f'then echo "$code: line {at}" >&2; exit 99; fi'
            for at, (line, exits) in enumerate(lines)
        )
        done = subprocess.run(
            ["bash", "-u", "-c", script],
            cwd=self._directory,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, (lines, done.stdout.decode(), done.stderr.decode())
