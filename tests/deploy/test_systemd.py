"""The unit that serves: that it can do little else."""

from __future__ import annotations

import re
import shlex

from click.testing import CliRunner

from inventory.cli import inventory
from tests.deploy.conftest import DEPLOY, needs, said_by

UNIT = DEPLOY / "systemd" / "inventory.service"


def test_it_starts_what_there_is() -> None:
    (line,) = re.findall(r"(?m)^ExecStart=(.*)$", UNIT.read_text(encoding="utf-8"))
    program, *arguments = shlex.split(line)
    assert program == "/usr/local/bin/inventory"
    done = CliRunner().invoke(inventory, [*arguments, "--help"])
    assert done.exit_code == 0
    assert "Receive RingCentral" in done.output


@needs("systemd-analyze")
def test_systemd_finds_little_that_it_is_exposed_to() -> None:
    said = said_by("systemd-analyze", "security", "--offline=true", "--threshold=15", UNIT)
    assert "OK" in said
