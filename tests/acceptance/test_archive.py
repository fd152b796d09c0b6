"""`inventory archive`, as whoever runs out of disk uses it."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
from psycopg import Connection

from inventory import sample, settings, web
from inventory.cli.listening import served
from inventory.database import Database
from tests.conftest import Command

ACCOUNT = sample.DOCUMENTED_ACCOUNT
EXPORT = ("archive", "export", "--account", ACCOUNT, "--through", "100", "--directory", "old")


def test_a_range_goes_and_comes_back(filled: Command) -> None:
    done = filled(*EXPORT)
    assert re.search(rf"account={ACCOUNT} first=1 last=\d+ events=\d+ seals=\d+", done.stderr)
    assert filled("archive", "verify", "old", INVENTORY_DATABASE_URL="none://").stdout == ""

    before = filled("number", "list", "--format", "csv").stdout
    said = filled("archive", "detach", "old").stderr
    assert "nothing was removed" in said
    removed = re.search(r"to_remove=(\d+) kept=(\d+)", said)
    assert removed is not None
    assert int(removed[1]) > int(removed[2]) > 0
    assert f"removed={removed[1]}" in filled("archive", "detach", "old", "--apply").stderr
    assert filled("number", "list", "--format", "csv").stdout == before
    assert ACCOUNT in filled("archive", "list").stdout
    assert "and only some of them here" in filled("event", "list", "--account", ACCOUNT).stderr

    refused = filled("verify", exits=1).stderr
    assert "archived in" in refused
    assert "`inventory archive restore` puts them back" in refused
    assert "differences=0" in filled("verify", "--archive", "old").stderr
    assert "for it is archived in" in _show(filled, 1)
    for needs_all in (
        ("replay", "--account", ACCOUNT),
        ("number", "explain", "987654321"),
        ("number", "list", "--at", "2013-06-15"),
        ("change", "list", "--known-at", "2030-01-01"),
        ("change", "late"),
        ("projection", "rebuild"),
        ("audit", "report", "987654321", "--format", "json", "-o", "-"),
    ):
        assert "archived in" in filled(*needs_all, exits=1).stderr, needs_all

    correct = (
        "event",
        "correct",
        "987654321",
        "--location",
        "Mars",
        "--reason",
        "it moved",
        "--yes",
    )
    assert "appended=1" in filled(*correct).stderr
    older = filled(*correct[:3], "--status", "Gone", *correct[5:], "--at", "2013-06-15", exits=1)
    assert "archived in" in older.stderr
    assert "differences=0" in filled("verify", "--archive", "old").stderr

    assert f"restored={removed[1]}" in filled("archive", "restore", "old").stderr
    assert "differences=0" in filled("verify").stderr
    filled("replay", "--account", ACCOUNT)


def _show(command: Command, position: int) -> str:
    return command("event", "show", str(position), "--account", ACCOUNT, exits=1).stderr


def test_an_archive_that_is_not_the_log_is_refused(filled: Command, connection: Connection) -> None:
    filled(*EXPORT)
    connection.execute("ALTER TABLE inventory.event DISABLE TRIGGER ALL")
    connection.execute(
        "UPDATE inventory.event SET uri = 'x' WHERE account_id = %s AND position = 7", [ACCOUNT]
    )
    connection.commit()
    for apply in ((), ("--apply",)):
        refused = filled("archive", "detach", "old", *apply, exits=4)
        assert "found event 7 of" in refused.stderr
    assert filled("archive", "list").stdout == ""


def test_an_altered_archive_ends_with_3(filled: Command, tmp_path: Path) -> None:
    filled(*EXPORT)
    path = tmp_path / "old" / "seals.parquet"
    path.write_bytes(path.read_bytes() + b" ")
    assert "seals.parquet, SHA-256" in filled("archive", "verify", "old", exits=3).stdout
    assert "seals.parquet" in filled("archive", "detach", "old", "--apply", exits=4).stderr


def test_what_cannot_be_done_is_said(filled: Command) -> None:
    export = ("export", "--account", ACCOUNT, "--through")
    for arguments, exits, said in (
        (("export", "--directory", "new"), 2, "either --through or --before"),
        (("export", "--directory", "new", "--through", "1"), 1, "expected --account"),
        ((*export, "99", "--directory", "."), 1, "something already"),
        ((*export, "1", "--directory", "new"), 1, "that old"),
        (("verify", "new"), 1, "manifest.json: No such file"),
        (("detach", "new"), 1, "manifest.json: No such file"),
        (("restore", "new"), 1, "manifest.json: No such file"),
    ):
        assert said in filled("archive", *arguments, exits=exits).stderr, arguments


def test_without_the_library_it_says_how_to_get_it(filled: Command, tmp_path: Path) -> None:
    stub = tmp_path / "without" / "arro3"
    stub.mkdir(parents=True)
    (stub / "__init__.py").write_text("raise ImportError")
    done = filled(*EXPORT, PYTHONPATH=str(stub.parent), exits=1)
    assert "pip install 'inventory[archive]'" in done.stderr
    assert not (tmp_path / "old").exists()


def test_over_http_it_is_a_conflict_that_names_the_archive(
    filled: Command, database: Database
) -> None:
    filled(*EXPORT)
    filled("archive", "detach", "old", "--apply")
    with served(web.application(database, settings.load())) as address:
        for path in (
            f"/api/v1/changes?account={ACCOUNT}&known_at=2030-01-01",
            "/api/v1/numbers?at=2013-06-15",
            f"/numbers/{ACCOUNT}/987654321",
        ):
            found = httpx.get(address + path)
            assert found.status_code == 409, (path, found.text)
            assert "archived in" in found.json()["detail"]
        for path in (f"/api/v1/numbers?account={ACCOUNT}", "/", "/numbers"):
            assert httpx.get(address + path).status_code == 200, path
