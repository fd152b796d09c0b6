"""The recipes for those who schedule by other means: each is read, and its command line run."""

from __future__ import annotations

import configparser
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from cronsim import CronSim

from inventory.database import Database
from inventory.simulator import Platform
from tests.conftest import clean_environment
from tests.ringcentral.conftest import Simulated, far_limits, simulating

DEPLOY = Path(__file__).parents[2] / "deploy"
BIN = Path(sys.executable).parent
ENVIRONMENT = "/etc/inventory/environment"

Shell = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def simulated() -> Iterator[Simulated]:
    with simulating(Platform(limits=far_limits())) as it:
        for _ in range(3):
            it.platform.add()
        yield it


@pytest.fixture
def settings(simulated: Simulated, database: Database, tmp_path: Path) -> Path:
    """A file that holds the settings, as the recipes expect it."""
    given = simulated.settings() | {"database_url": database.url}
    path = tmp_path / "environment"
    path.write_text("".join(f"INVENTORY_{k.upper()}='{v}'\n" for k, v in given.items()))
    return path


@pytest.fixture
def shell(settings: Path, tmp_path: Path) -> Shell:
    """Runs a line as somebody would whose settings are there, and finds `inventory` in the path."""

    def run(line: str, exits: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            ["/bin/sh", "-c", line.replace(ENVIRONMENT, str(settings))],
            env=clean_environment() | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == exits, (line, done.stdout, done.stderr)
        return done

    return run


def runs(database: Database) -> int:
    with database.connect() as connection:
        row = connection.execute(
            "SELECT count(*) FROM inventory.reconciliation WHERE outcome = 'complete'"
        ).fetchone()
    assert row is not None
    return int(row[0])


def unit(name: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=True, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(DEPLOY / "systemd" / name, encoding="utf-8")
    return parser


def crontab() -> list[tuple[str, str]]:
    """Schedules and command lines."""
    lines = (DEPLOY / "crontab").read_text(encoding="utf-8").splitlines()
    jobs = [line.split(maxsplit=5) for line in lines if line[:1].isdigit()]
    return [(" ".join(job[:5]), job[5]) for job in jobs]


def when(schedule: str) -> datetime:
    """The next time of a cron expression."""
    return next(CronSim(schedule, datetime.now(UTC)))


def test_the_systemd_service_reconciles(shell: Shell, database: Database) -> None:
    service = unit("inventory-reconcile.service")["Service"]
    assert service["EnvironmentFile"] == ENVIRONMENT
    command = shlex.split(service["ExecStart"])
    assert Path(command[0]).is_absolute()
    shell(f"set -a; . {ENVIRONMENT}; {shlex.join(['inventory', *command[1:]])}")
    assert runs(database) == 1


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_systemd_takes_the_units_as_they_are(tmp_path: Path) -> None:
    for source in (DEPLOY / "systemd").iterdir():
        text = source.read_text(encoding="utf-8")
        (tmp_path / source.name).write_text(text.replace("/usr/local/bin", str(BIN)))
    done = subprocess.run(
        ["systemd-analyze", "verify", *map(str, sorted(tmp_path.iterdir()))],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    calendar = unit("inventory-reconcile.timer")["Timer"]["OnCalendar"]
    subprocess.run(["systemd-analyze", "calendar", calendar], check=True, capture_output=True)


def test_the_cron_job_of_kubernetes_reconciles(shell: Shell, database: Database) -> None:
    text = (DEPLOY / "kubernetes" / "inventory-reconcile.yaml").read_text(encoding="utf-8")
    job: Any = yaml.safe_load(text)
    assert (job["apiVersion"], job["kind"]) == ("batch/v1", "CronJob")
    assert job["spec"]["concurrencyPolicy"] == "Forbid"
    assert when(job["spec"]["schedule"])
    spec = job["spec"]["jobTemplate"]["spec"]
    pod = spec["template"]["spec"]
    (container,) = pod["containers"]
    # Exit codes are looked at only where the kubelet does not start the container again.
    assert pod["restartPolicy"] == "Never"
    (rule,) = spec["podFailurePolicy"]["rules"]
    assert rule["onExitCodes"]["containerName"] == container["name"]
    shell(f"set -a; . {ENVIRONMENT}; {shlex.join(container['command'])}")
    assert runs(database) == 1


def test_the_lines_for_cron_reconcile_and_compare(
    shell: Shell, simulated: Simulated, database: Database
) -> None:
    (hourly, apply_), (daily, compare) = crontab()
    assert when(hourly) <= when(daily)
    assert "%" not in apply_ + compare  # which cron would take for a line end
    assert shell(apply_).stdout == ""
    assert runs(database) == 1
    shell(compare)
    simulated.platform.contact_center()[0]["status"] = "Pending"
    assert "Normal → Pending" in shell(compare, exits=3).stdout
    assert runs(database) == 1
