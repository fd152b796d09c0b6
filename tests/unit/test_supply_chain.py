"""What is installed: pinned, hashed, the same everywhere, and under licences that we may ship."""

from __future__ import annotations

import re
import sys
import tomllib
from importlib.metadata import Distribution, distribution, distributions
from pathlib import Path
from typing import NamedTuple

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
RUN, DEV, FUZZ = "requirements.txt", "requirements-dev.txt", "requirements-fuzz.txt"

PERMISSIVE = {
    *("MIT", "MIT-0", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "PSF-2.0", "MIT License"),
    *("BSD License", "Apache Software License"),
}
WEAK_COPYLEFT = {
    # Used as they come, as packages of their own, which whoever has ours can exchange.
    "psycopg": "LGPL-3.0-only",
    "psycopg-binary": "LGPL-3.0-only",
    "certifi": "MPL-2.0",
    "pathspec": "Mozilla Public License 2.0 (MPL 2.0)",
}


class Pin(NamedTuple):
    """One package of a lock file."""

    version: str
    applies: bool
    hashes: int
    direct: bool
    """Whether pyproject.toml asks for it, as the lock has it."""


PIN = re.compile(
    r"^(?P<name>[a-z0-9-]+)==(?P<version>[^ ]+)(?: ; (?P<marker>[^\\]+?))? \\\n"
    r"(?P<hashes>(?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)"
    r"(?P<via>(?:    #.*\n)+)",
    re.MULTILINE,
)


def lock(name: str) -> dict[str, Pin]:
    text = (ROOT / name).read_text()
    # Nothing stands in it but pins: no index, no address, no option.
    assert PIN.sub("", text) == "", name
    return {
        pin["name"]: Pin(
            pin["version"],
            pin["marker"] is None or Marker(pin["marker"]).evaluate(),
            pin["hashes"].count("sha256:"),
            "inventory (pyproject.toml" in pin["via"],
        )
        for pin in PIN.finditer(text)
    }


def asked_for(*groups: str) -> list[Requirement]:
    lines = [*PROJECT["project"]["dependencies"]] if "" in groups else []
    for group in filter(None, groups):
        lines += PROJECT["dependency-groups"][group]
    return [Requirement(line) for line in lines]


@pytest.mark.parametrize(
    ("name", "groups"), [(RUN, ("", "build")), (DEV, ("", "build", "dev")), (FUZZ, ("fuzz",))]
)
def test_a_lock_pins_by_hash_what_the_project_asks_for(name: str, groups: tuple[str, ...]) -> None:
    pins = lock(name)
    asked = {canonicalize_name(each.name): each for each in asked_for(*groups)}
    direct = {pinned for pinned, pin in pins.items() if pin.direct}
    assert direct == asked.keys()
    for pinned, requirement in asked.items():
        assert requirement.specifier.contains(pins[pinned].version)
    assert all(pin.hashes for pin in pins.values())


def test_locks_agree_with_each_other() -> None:
    run, dev, fuzz = lock(RUN), lock(DEV), lock(FUZZ)
    assert {name: (pin.version, pin.hashes) for name, pin in run.items()} == {
        name: (pin.version, pin.hashes) for name, pin in dev.items() if name in run
    }
    assert {name: pin.version for name, pin in fuzz.items() if name in dev} == {
        name: dev[name].version for name in fuzz if name in dev
    }


def test_nothing_is_installed_but_what_is_locked() -> None:
    pins = lock(DEV)
    assert sys.prefix != sys.base_prefix, "expected a virtual environment"
    found = {
        canonicalize_name(each.metadata["Name"]): each.version
        for each in distributions(path=[path for path in sys.path if path.startswith(sys.prefix)])
    }
    ours = {"inventory", "pip", "setuptools"}  # and what made the environment
    locked = {name: pin.version for name, pin in pins.items() if pin.applies}
    assert {name: version for name, version in found.items() if name not in ours} == locked


def test_what_is_shipped_with_us_is_under_licences_that_allow_it() -> None:
    for name, pin in lock(RUN).items():
        if not pin.applies:
            continue
        licences = licences_of(distribution(name))
        if name in WEAK_COPYLEFT:
            assert WEAK_COPYLEFT[name] in licences
        else:
            assert licences, f"{name} names no licence"
            assert licences <= PERMISSIVE, name


def licences_of(package: Distribution) -> set[str]:
    """What a package says of its licence; of several all, whether they all apply or any."""
    metadata = package.metadata
    said = next((metadata[n] for n in ("License-Expression", "License") if n in metadata), "")
    told = set(filter(None, re.split(r" (?:OR|AND) ", said)))
    return told or {
        classifier.rpartition(" :: ")[2]
        for classifier in metadata.get_all("Classifier") or []
        if classifier.startswith("License :: ")
    }
