"""Hostile files through the command: no crash, nothing lost, and memory that stays flat."""

from __future__ import annotations

import gzip
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from inventory.database import Database
from inventory.ingest.framing import KEPT
from tests.conftest import clean_environment
from tests.hostile import files

MEMORY = (70 + 150) << 10
"""KiB that taking in anything may need; 70 MiB of it are the program, which takes in nothing."""

# A process of its own in between: to a child belongs what its parent had needed when it began.
MEASURED = """
import resource, subprocess, sys
done = subprocess.run([sys.executable, "-m", "inventory", *sys.argv[1:]], timeout=100)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(done.returncode)
"""


@pytest.fixture
def ingest(database: Database, tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """Runs `event ingest`; tells the most memory that it had, in KiB, and what it said."""

    def run(*paths: Path, exits: int = 0) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-c", MEASURED, "event", "ingest", *map(str, paths)],
            capture_output=True,
            env=clean_environment() | {"INVENTORY_DATABASE_URL": database.url},
            cwd=tmp_path,
            timeout=120,
            check=False,
        )
        said = done.stderr.decode()
        assert "Traceback" not in said
        assert done.returncode == exits, said
        return int(done.stdout), said

    return run


def test_everything_in_hostile_files_is_in_the_log_or_as_it_came_in_quarantine(
    ingest: Callable[..., tuple[int, str]], database: Database, tmp_path: Path
) -> None:
    paths = {tmp_path / name: small for name, small in files.SMALL.items()}
    for path, small in paths.items():
        path.write_bytes(small.content)

    ingest(*paths)

    with database.connect() as connection:
        sealed = connection.execute(
            "SELECT source, sum(last_position - first_position + 1)::int"
            " FROM inventory.seal GROUP BY source"
        ).fetchall()
        kept = connection.execute(
            "SELECT source, payload, reason, detail FROM inventory.quarantine"
        ).fetchall()
    appended: Counter[str] = Counter(dict(sealed))
    quarantined = Counter(source.rpartition("#")[0] for source, *_ in kept)
    for path, small in paths.items():
        found = appended[f"file:{path}"], quarantined[f"file:{path}"]
        assert found == (small.appended, small.quarantined), path.name
    for source, payload, reason, detail in kept:
        content = paths[Path(source.removeprefix("file:").rpartition("#")[0])].content
        if content.startswith(b"\x1f\x8b"):
            content = gzip.decompress(content)
        assert payload in content
        assert reason
        assert 0 < len(detail) < 400


@pytest.mark.parametrize("name", files.DAMAGED)
def test_a_damaged_file_is_named_and_what_can_be_read_of_it_is_taken(
    ingest: Callable[..., tuple[int, str]], tmp_path: Path, name: str
) -> None:
    path = tmp_path / "damaged.gz"
    path.write_bytes(files.DAMAGED[name])

    _, said = ingest(path, exits=1)

    assert f"expected to read all of {path}, but its compressed data is" in said
    assert ("appended=0" in said) is (name == "of garbage")


@pytest.mark.parametrize("name", files.large())
def test_memory_stays_flat_whatever_is_unpacked(
    ingest: Callable[..., tuple[int, str]], database: Database, tmp_path: Path, name: str
) -> None:
    large = files.large()[name]
    path = files.packed(tmp_path, large)

    used, said = ingest(path)

    assert f"appended={large.appended} duplicates=0 quarantined={large.quarantined}" in said
    assert used < MEMORY
    with database.connect() as connection:
        kept = connection.execute("SELECT length(payload) FROM inventory.quarantine").fetchall()
    assert all(length <= max(KEPT, 1_000_000) for (length,) in kept)
