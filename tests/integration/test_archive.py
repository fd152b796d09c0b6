"""Old ranges of the log in files: byte for byte, and never a wrong answer from what is left."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import Connection

from inventory import archive, lifecycle, projector, read_model, verification
from inventory.archive import Examined, parquet
from inventory.archive import directory as directories
from inventory.database import Database
from inventory.event import Attributes, Event, Recorded
from inventory.ingest import Intake, retry
from inventory.verification import Verified
from tests import folds
from tests.histories import START, an_event, cut, histories

# The package's functions have the names of their modules.
exporting = import_module("inventory.archive.export")
detaching = import_module("inventory.archive.detach")

ACCOUNT = "37439510"
OLD = [
    an_event("1", "Created", 0),
    an_event("1", "Updated", 1, provider_id="2"),
    an_event("1", "Updated", 2, provider_id="2"),  # in doubt since
    an_event("2", "Created", 1),
    an_event("2", "Updated", 3, origin="observation", status="Pending"),
    an_event("2", "Deleted", 4),
    an_event("3", "Created", 2),
    an_event("3", "Updated", 4, status="Pending"),
    an_event("3", "Updated", 5, status="Normal"),
]


@pytest.fixture
def log(database: Database) -> Iterator[Connection]:
    with database.connect(autocommit=True) as connection:
        folds.append(connection, ACCOUNT, OLD)
        folds.fold(connection, ACCOUNT)
        yield connection


@pytest.fixture
def archived(log: Connection, tmp_path: Path) -> Path:
    """An archive of all there is, detached."""
    directory = tmp_path / "archive"
    archive.export(log, ACCOUNT, directory, through=len(OLD))
    archive.detach(log, directory)
    return directory


def positions(connection: Connection) -> list[int]:
    query = "SELECT position FROM inventory.event ORDER BY position"
    return [position for (position,) in connection.execute(query)]


def table(connection: Connection) -> list[str]:
    query = "SELECT event::text FROM inventory.event ORDER BY account_id, position"
    return [row for (row,) in connection.execute(query)]


def differences(directory: Path) -> set[str]:
    return {difference.what for difference in archive.examine(directory, Examined())}


def verified_with(connection: Connection, *directories_: Path) -> set[str]:
    found = archive.verify(connection, directories_, Verified())
    return {difference.what for difference in found}


def test_an_archive_holds_payloads_as_they_arrived(log: Connection, tmp_path: Path) -> None:
    said = json.loads(OLD[0].payload)
    said["uuid"] = "odd"
    odd = '{ "é": "\\u00e9",  "n": 1.0e2,' + json.dumps(said)[1:] + " "
    intake = Intake("test", account_id=ACCOUNT, future_tolerance=timedelta(days=1))
    intake.write(log, intake.read([odd.encode()]))
    manifest = archive.export(log, ACCOUNT, tmp_path / "archive", through=100)
    rows = directories.rows(tmp_path / "archive", manifest, "events")
    assert [row[3] for row in rows] == [*(event.payload for event in OLD), odd]
    assert differences(tmp_path / "archive") == set()


def test_export_ends_with_the_last_seal_that_is_wholly_old(log: Connection, tmp_path: Path) -> None:
    ends = [end for (end,) in log.execute("SELECT last_position FROM inventory.seal ORDER BY 1")]
    assert ends == [4, 5, 9]
    manifest = archive.export(log, ACCOUNT, tmp_path / "archive", through=8)
    assert (manifest.first_position, manifest.last_position, manifest.events) == (1, 5, 5)
    with pytest.raises(archive.NothingToArchive):
        archive.export(log, ACCOUNT, tmp_path / "more", through=3)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["archive"]


def test_nothing_half_written_is_left(
    log: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(exporting, "encoded", full)
        with pytest.raises(directories.NotWritten, match="No space left"):
            archive.export(log, ACCOUNT, tmp_path / "archive", through=9)
    assert list(tmp_path.iterdir()) == []
    archive.export(log, ACCOUNT, tmp_path / "archive", through=9)
    with pytest.raises(directories.NotWritten, match="something already"):
        archive.export(log, ACCOUNT, tmp_path / "archive", through=9)


def test_a_log_that_was_altered_is_not_archived(log: Connection, tmp_path: Path) -> None:
    log.execute("ALTER TABLE inventory.event DISABLE TRIGGER append_only_rows")
    log.execute("UPDATE inventory.event SET status = 'Mars' WHERE position = 2")
    with pytest.raises(exporting.Altered, match=r"event\.status at 2"):
        archive.export(log, ACCOUNT, tmp_path / "archive", through=9)
    assert list(tmp_path.iterdir()) == []


def test_whatever_is_altered_in_an_archive_is_seen(log: Connection, tmp_path: Path) -> None:
    directory = tmp_path / "archive"
    archive.export(log, ACCOUNT, directory, through=9)
    for path in sorted(directory.glob("*.parquet")):
        whole = path.read_bytes()
        for at in (0, len(whole) // 2, len(whole) - 1):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
            assert differences(directory) == {f"{path.name}, SHA-256"}
        path.write_bytes(whole)
        path.unlink()
        assert differences(directory) == {path.name}
        path.write_bytes(whole)
    assert differences(directory) == set()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("account_id", "1"),
        ("first_position", 2),
        ("last_position", 10),
        ("events", 8),
        ("seals", 9),
        ("previous_hash", "00" * 32),
        ("head_hash", "00" * 32),
        ("recorded_until", "2026-01-01T00:00:00Z"),
        ("occurred_until", "2026-01-01T00:00:00Z"),
    ],
)
def test_a_manifest_cannot_say_otherwise(
    log: Connection, tmp_path: Path, name: str, value: object
) -> None:
    directory = tmp_path / "archive"
    archive.export(log, ACCOUNT, directory, through=9)
    path = directory / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {name: value}))
    assert differences(directory)
    with pytest.raises(archive.NotDetachable):
        archive.detach(log, directory)
    assert len(positions(log)) == len(OLD)


def test_an_archive_with_other_events_under_right_hashes_is_seen(
    log: Connection, tmp_path: Path
) -> None:
    """Whoever makes the files and the manifest anew cannot make the chain."""
    directory = tmp_path / "archive"
    manifest = archive.export(log, ACCOUNT, directory, through=9)
    path = directory / manifest.files[0].name
    rows = list(directories.rows(directory, manifest, "events"))
    forged = rows[0][3].replace('"Normal"', '"Mars"')
    rows[0] = (*rows[0][:3], forged, *rows[0][4:])
    parquet.write(path, parquet.EVENTS, rows)
    said = json.loads((directory / "manifest.json").read_text())
    said["files"][0]["sha256"] = directories.digest(path).hex()
    (directory / "manifest.json").write_text(json.dumps(said))
    assert differences(directory) == {"event.payload_sha256", "event.status", "seal.events_hash"}


def test_a_plan_removes_nothing_and_says_what_would_go(log: Connection, tmp_path: Path) -> None:
    archive.export(log, ACCOUNT, tmp_path / "archive", through=9)
    planned = archive.plan(log, tmp_path / "archive")
    assert len(positions(log)) == len(OLD)
    assert archive.detach(log, tmp_path / "archive") == planned
    # 1's version and what left it in doubt, 2's last words, 3's version.
    assert positions(log) == [2, 3, 5, 6, 9]
    assert (planned.removed, planned.kept) == (4, 5)


def test_an_archive_that_is_not_the_log_is_not_detached(log: Connection, tmp_path: Path) -> None:
    directory = tmp_path / "archive"
    archive.export(log, ACCOUNT, directory, through=9)
    log.execute("ALTER TABLE inventory.event DISABLE TRIGGER append_only_rows")
    log.execute("UPDATE inventory.event SET uri = 'https://mars.example' WHERE position = 7")
    with pytest.raises(archive.NotDetachable, match="event 7"):
        archive.detach(log, directory)
    assert len(positions(log)) == len(OLD)


def test_detaching_goes_on_where_a_crash_ended_it(
    log: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = tmp_path / "archive"
    archive.export(log, ACCOUNT, directory, through=9)
    with monkeypatch.context() as patched:
        patched.setattr(detaching, "REMOVE", "SELECT 1 / 0")
        with pytest.raises(psycopg.errors.DivisionByZero):
            archive.detach(log, directory)
    assert len(positions(log)) == len(OLD)
    assert verified_with(log, directory) == set()
    assert archive.detach(log, directory).removed == 4
    assert verified_with(log, directory) == set()


def test_archive_and_table_verify_together(archived: Path, log: Connection) -> None:
    folds.append(log, ACCOUNT, [an_event("1", "Deleted", 9), an_event("4", "Created", 9)])
    folds.fold(log, ACCOUNT)
    assert verified_with(log, archived) == set()
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="events 1 to 9 archived"):
        verified_with(log)


def test_what_is_altered_in_the_table_is_seen_beside_its_archive(
    archived: Path, log: Connection
) -> None:
    log.execute("ALTER TABLE inventory.event DISABLE TRIGGER append_only_rows")
    log.execute("UPDATE inventory.event SET status = 'Mars' WHERE position = 2")
    assert "event.status" in verified_with(log, archived)


def test_an_archive_that_is_not_the_one_detached_is_refused(
    archived: Path, log: Connection, tmp_path: Path
) -> None:
    other = shutil.copytree(archived, tmp_path / "other")
    manifest = other / "manifest.json"
    manifest.write_text(manifest.read_text() + " ")
    with pytest.raises(archive.OfNoDetached):
        verified_with(log, other)
    with pytest.raises(archive.NotDetached):
        archive.restore(log, other)


def test_every_archive_is_needed(archived: Path, log: Connection, tmp_path: Path) -> None:
    folds.append(log, ACCOUNT, [an_event("1", "Deleted", 9), an_event("4", "Created", 9)])
    folds.fold(log, ACCOUNT)
    second = tmp_path / "second"
    manifest = archive.export(log, ACCOUNT, second, through=11)
    archive.detach(log, second)
    assert (manifest.first_position, manifest.last_position) == (10, 11)
    assert verified_with(log, archived, second) == set()
    with pytest.raises(archive.ArchiveNeeded, match="events 10 to 11"):
        verified_with(log, archived)
    archive.restore(log, archived)
    assert verified_with(log, second) == set()


def test_restoring_puts_every_byte_back(log: Connection, tmp_path: Path) -> None:
    before = table(log)
    directory = tmp_path / "archive"
    archive.export(log, ACCOUNT, directory, through=9)
    archive.detach(log, directory)
    assert table(log) != before
    assert archive.restore(log, directory).restored == 4
    assert table(log) == before
    assert list(verification.verify(log, Verified())) == []
    with log.transaction():
        projector.rebuild(log)
    folds.append(log, ACCOUNT, [an_event("1", "Deleted", -5)])
    assert positions(log)[-1] == 10


LATE = an_event("2", "Created", 5, uuid="late")


@pytest.mark.usefixtures("archived")
def test_what_is_older_than_an_archive_waits_in_quarantine(log: Connection) -> None:
    intake = Intake("test", account_id=ACCOUNT, future_tolerance=timedelta(days=1))
    outcome = intake.write(log, intake.read([LATE.payload.encode(), OLD[0].payload.encode()]))
    assert (outcome.appended, outcome.duplicates, outcome.quarantined) == (0, 0, 2)
    kept = log.execute("SELECT reason, payload FROM inventory.quarantine").fetchall()
    assert {*kept} == {("archived", each.payload.encode()) for each in (LATE, OLD[0])}
    # What is in the table still is a duplicate, and what is younger is appended.
    again = intake.write(log, intake.read([OLD[1].payload.encode()]))
    assert (again.appended, again.duplicates, again.quarantined) == (0, 1, 0)
    younger = an_event("2", "Created", 6)
    assert intake.write(log, intake.read([younger.payload.encode()])).appended == 1


def test_an_archived_duplicate_is_one_again_once_restored(archived: Path, log: Connection) -> None:
    intake = Intake("test", account_id=ACCOUNT, future_tolerance=timedelta(days=1))
    intake.write(log, intake.read([OLD[0].payload.encode(), LATE.payload.encode()]))
    archive.restore(log, archived)
    ids = [id_ for (id_,) in log.execute("SELECT id FROM inventory.quarantine ORDER BY id")]
    with log.transaction():
        done = retry(log, ids, account_id=ACCOUNT, future_tolerance=timedelta(days=1))
    assert (done.appended, done.duplicates, done.quarantined) == (1, 1, 0)


@pytest.mark.usefixtures("archived")
def test_nobody_is_answered_from_what_is_left(log: Connection, database: Database) -> None:
    refused = pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="1 to 9 archived")
    for query in (
        "SELECT * FROM inventory.number_as_of(%(before)s)",
        "SELECT count(*) FROM inventory.number_as_of(%(before)s) WHERE account_id = '37439510'",
        "SELECT * FROM inventory.number_as_of(now(), %(known)s)",
        "SELECT * FROM inventory.version_as_of(now(), now())",
        "SELECT count(*) FROM inventory.version_as_of() WHERE account_id = '37439510'",
    ):
        with refused:
            log.execute(query, {"before": START, "known": START})
    with refused, log.transaction():
        projector.rebuild(log)
    log.execute("DELETE FROM inventory.projection_checkpoint")
    with refused, log.transaction():
        projector.fold(log, ACCOUNT)
    with database.engine.connect() as reading:
        for ask in (
            lambda: read_model.log_of(reading, ACCOUNT, "1"),
            lambda: list(read_model.account_log(reading, ACCOUNT, head=9)),
            lambda: reading.execute(read_model.late_numbers()).all(),
        ):
            with pytest.raises(Exception, match="1 to 9 archived"):
                ask()
            reading.rollback()


@pytest.mark.usefixtures("archived")
def test_other_accounts_are_asked_as_ever(log: Connection, database: Database) -> None:
    folds.append(log, "2", [an_event("7", "Created", 0), an_event("7", "Updated", 9)])
    folds.fold(log, "2")
    for query in (
        "SELECT phone_number_id FROM inventory.number_as_of(%s) WHERE account_id = '2'",
        "SELECT phone_number_id FROM inventory.version_as_of(%s) WHERE account_id = '2'",
    ):
        assert log.execute(query, [START]).fetchall() == [("7",)]
    with database.engine.connect() as reading:
        assert len(read_model.log_of(reading, "2", "7")) == 2


@pytest.mark.usefixtures("archived")
def test_the_application_can_neither_archive_nor_remove(log: Connection) -> None:
    log.execute("SET ROLE inventory_app")
    for deed in (
        "DELETE FROM inventory.event",
        "INSERT INTO inventory.archive SELECT * FROM inventory.archive",
        "DELETE FROM inventory.archive",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            log.execute(deed)


@pytest.mark.usefixtures("archived")
def test_only_what_is_archived_may_go(log: Connection) -> None:
    folds.append(log, ACCOUNT, [an_event("4", "Created", 9)])
    folds.append(log, "2", [an_event("4", "Created", 9)])
    for deed in (
        "DELETE FROM inventory.event WHERE position = 10",
        "DELETE FROM inventory.event WHERE account_id = '2'",
        "UPDATE inventory.event SET status = 'Mars' WHERE position = 2",
        "TRUNCATE inventory.event",
    ):
        with pytest.raises(psycopg.errors.RestrictViolation):
            log.execute(deed)


@settings(max_examples=60)
@given(
    before=histories(), after=histories(), cuts=st.tuples(st.integers(0, 25), st.integers(0, 25))
)
def test_what_comes_after_an_archive_folds_as_if_nothing_were_archived(
    shared_database: Database,
    new_account: Callable[[], str],
    tmp_path_factory: pytest.TempPathFactory,
    before: list[Event],
    after: list[Event],
    cuts: tuple[int, int],
) -> None:
    account = new_account()
    directory = tmp_path_factory.mktemp("archives") / "archive"
    later = [
        event._replace(occurred_at=event.occurred_at + timedelta(seconds=7)) for event in after
    ]
    with shared_database.connect(autocommit=True) as connection:
        for some in cut(before, cuts[:1]):
            folds.append(connection, account, some)
        folds.fold(connection, account)
        log = folds.recorded(connection, account, before)
        through = max(cuts[0], 1)
        try:
            ended = archive.export(connection, account, directory, through=through)
        except archive.NothingToArchive:
            return
        archive.detach(connection, directory)
        for some in cut(later, cuts[1:]):
            folds.append(connection, account, some)
            folds.fold(connection, account)
        log += folds.recorded(connection, account, later)
        assert folds.projected(connection, account) == folds.by_the_law(log)
        for entry in log:
            at, known_at = entry.event.occurred_at, entry.recorded_at
            if at >= ended.occurred_until and known_at >= ended.recorded_until:
                assert as_of(connection, account, at, known_at) == by_the_law(log, at, known_at)
        archive.restore(connection, directory)
        assert folds.projected(connection, account) == folds.by_the_law(log)


def as_of(
    connection: Connection, account: str, at: datetime, known_at: datetime
) -> dict[str, Attributes]:
    query = "SELECT * FROM inventory.number_as_of(%s, %s) WHERE account_id = %s"
    rows = connection.execute(query, [at, known_at, account]).fetchall()
    return {row[1]: Attributes(*row[2:]) for row in rows}


def by_the_law(log: Sequence[Recorded], at: datetime, known_at: datetime) -> dict[str, Attributes]:
    known = [e for e in log if e.event.occurred_at <= at and e.recorded_at <= known_at]
    found = {}
    for number in {entry.event.phone_number_id for entry in known}:
        *_, final = lifecycle.steps(e for e in known if e.event.phone_number_id == number)
        if final.after is not None:
            found[number] = final.after.attributes
    return found
