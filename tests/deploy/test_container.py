"""The image and the composition, as far as they can be looked at without an engine."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

from inventory import settings, web
from inventory.cli.listening import served
from inventory.database import Database
from tests.conftest import clean_environment
from tests.deploy.conftest import DEPLOY, documents, said_by

CONTAINERFILE = DEPLOY / "Containerfile"
COMPOSE = DEPLOY / "compose.yaml"


def instructions() -> list[tuple[str, str]]:
    """Of the Containerfile, with what each is given."""
    text = re.sub(r"(?m)^\s*#.*\n", "", CONTAINERFILE.read_text(encoding="utf-8"))
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in lines if line.strip()]


def given(instruction: str) -> list[str]:
    return [rest for name, rest in instructions() if name == instruction]


def composition() -> dict[str, Any]:
    (document,) = documents(COMPOSE)
    return document


def compose() -> list[str]:
    """What runs compositions here; empty: nothing does."""
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    asked = ["docker", "compose", "version"]
    if (
        shutil.which("docker")
        and subprocess.run(asked, capture_output=True, check=False).returncode == 0
    ):
        return ["docker", "compose"]
    return []


def test_a_linter_finds_nothing() -> None:
    assert said_by(Path(sys.executable).parent / "hadolint", CONTAINERFILE) == ""


def test_the_image_is_of_two_stages_and_belongs_to_nobody() -> None:
    stages = given("FROM")
    assert len(stages) == 2
    for image in (stage.split()[0] for stage in stages):
        name, _, tag = image.rpartition(":")
        assert name
        assert re.match(r"\d+\.\d+", tag)
    assert [name for name, _ in instructions()].index("USER") > len(given("RUN"))
    (user,) = given("USER")
    assert int(user.split(":")[0]) > 0
    assert json.loads(given("ENTRYPOINT")[0]) == ["inventory"]
    assert json.loads(given("CMD")[0])[0] == "serve"


def test_what_is_copied_is_there_and_not_ignored() -> None:
    ignore = (DEPLOY / "Containerfile.dockerignore").read_text(encoding="utf-8").split()
    assert ignore[0] == "*"
    kept = [line[1:] for line in ignore if line.startswith("!")]
    copied = [
        source
        for line in given("COPY")
        if not line.startswith("--from")
        for source in line.split()[:-1]
    ]
    assert sorted(copied) == sorted(kept)
    assert all((DEPLOY.parent / source).exists() for source in copied)


def test_the_health_check_tells_a_process_that_answers_from_none(database: Database) -> None:
    (check,) = given("HEALTHCHECK")
    command = json.loads(check[check.index("CMD") + 3 :])
    assert command[0] == "python"

    def exits(url: str) -> int:
        words = [word.replace("http://127.0.0.1:8080", url) for word in command[1:]]
        assert words != command[1:]
        done = subprocess.run([sys.executable, *words], capture_output=True, check=False)
        return done.returncode

    with served(web.application(database, settings.load())) as url:
        assert exits(url) == 0
    assert exits(url) == 1


def test_the_composition_hands_out_each_secret_to_whom_it_concerns() -> None:
    document = composition()
    services = document["services"]
    used = {name for service in services.values() for name in service.get("secrets", ())}
    assert used == document["secrets"].keys()
    for service in services.values():
        for variable, value in service["environment"].items():
            if variable.endswith("_FILE"):
                assert Path(value).parent == Path("/run/secrets")
                assert Path(value).name in service["secrets"]
            else:
                assert not re.search("PASSWORD|SECRET|TOKEN|JWT", variable)
    # Only the upgrade can lift the bars of the log.
    assert "owner-database-url" not in services["inventory"]["secrets"]


def test_the_composition_is_pinned_unprivileged_and_in_order() -> None:
    services = composition()["services"]
    for name, service in services.items():
        assert re.search(r":\d", service["image"])
        assert "no-new-privileges:true" in service["security_opt"]
        if name != "database":
            assert service["read_only"] is True
            assert service["cap_drop"] == ["ALL"]
    assert re.search(r"postgres:18\b", services["database"]["image"])
    assert services["upgrade"]["depends_on"]["database"]["condition"] == "service_healthy"
    waits = services["inventory"]["depends_on"]["upgrade"]
    assert waits["condition"] == "service_completed_successfully"
    # Beyond loopback there is a proxy with TLS.
    assert services["inventory"]["ports"] == ["127.0.0.1:8080:8080"]
    (network,) = composition()["networks"]["default"]["ipam"]["config"]
    trusted = services["inventory"]["environment"]["INVENTORY_TRUSTED_PROXIES"]
    assert network["gateway"] == trusted
    build = services["upgrade"]["build"]
    assert (COMPOSE.parent / build["context"] / build["dockerfile"]).samefile(CONTAINERFILE)
    assert not any(fnmatch(str(port), "0.0.0.0:*") for port in services["inventory"]["ports"])


@pytest.mark.skipif(not compose(), reason="there is no docker compose here")
def test_compose_takes_the_composition() -> None:
    needed = {"INVENTORY_WEBHOOK_URL": "https://x/", "INVENTORY_RINGCENTRAL_CLIENT_ID": "id"}
    subprocess.run(
        [*compose(), "-f", str(COMPOSE), "config", "--quiet"],
        env=clean_environment() | needed,
        check=True,
        capture_output=True,
    )
