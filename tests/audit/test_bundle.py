"""Evidence: an honest bundle is found honest by whoever has nothing but it; an altered one is not."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from psycopg import Connection

from inventory.audit import Examined, Question, bundle, examine, layout
from inventory.audit.bundle import NoBundle
from inventory.audit.digest import digest
from inventory.audit.signature import InvalidKey, private_key, public_key, sign
from inventory.database import Database
from inventory.event import Event
from inventory.event_log import genesis, seal_hash
from inventory.read_model import NumberUnknown
from inventory.verification import Anchor, Difference
from tests import folds
from tests.audit.conftest import Gather, gathered
from tests.histories import START, an_event, cut, histories

ACCOUNT, OTHER = "510000001", "510000002"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()


class Found(list[Difference]):
    """What an examination found, and its notes."""

    notes: list[str]

    @property
    def named(self) -> set[tuple[str, int | None]]:
        return {(difference.what, difference.position) for difference in self}


def examined(path: Path, public_key: bytes | None = None, anchors: Sequence[Anchor] = ()) -> Found:
    result = Examined()
    with bundle.opened(path) as given:
        found = Found(examine(given, result, public_key=public_key, anchors=anchors))
    found.notes = result.notes
    return found


@pytest.fixture(scope="module")
def shared(shared_database: Database) -> Iterator[Connection]:
    with shared_database.connect() as connection:
        yield connection


@hypothesis_settings(max_examples=60)
@given(
    history=histories(),
    cuts=st.lists(st.integers(0, 25), max_size=5),
    since=st.integers(-1, 7),
    until=st.integers(-1, 7),
)
def test_evidence_of_any_history_is_found_honest(
    shared_database: Database,
    shared: Connection,
    new_account: Callable[[], str],
    history: list[Event],
    cuts: list[int],
    since: int,
    until: int,
) -> None:
    account = new_account()
    for batch in cut(history, cuts):
        folds.append(shared, account, batch)
    log = folds.recorded(shared, account, history)
    shared.rollback()
    number = history[0].phone_number_id
    of_number = Question(number, account=account)
    begin, end = START + timedelta(seconds=since), START + timedelta(seconds=until)
    of_period = Question(since=begin, until=end, account=account)
    with tempfile.TemporaryDirectory() as scratch:
        path = gathered(shared_database, Path(scratch) / "number", of_number, KEY)
        assert examined(path, PUBLIC) == []
        versions, _, changes = folds.by_the_law(
            [entry for entry in log if entry.event.phone_number_id == number]
        )
        assert len(table(path, "version")) == len(versions)
        assert len(table(path, "change")) == len(changes)
        assert {row["payload"] for row in table(path, "event")} == {
            event.payload for event in history if event.phone_number_id == number
        }
        path = gathered(shared_database, Path(scratch) / "period", of_period)
        assert examined(path) == []
        assert {row["position"] for row in table(path, "event")} == {
            entry.position for entry in log if begin <= entry.event.occurred_at < end
        }


def table(path: Path, name: str) -> list[dict[str, object]]:
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(f"SELECT * FROM {name}")]


def fill(connection: Connection) -> None:
    """Number 5 at positions 1, 3, 4, 6 and 8, under the first three seals of four; and others."""
    for account in (ACCOUNT, OTHER):
        for batch in (
            [an_event("5", "Created", 0), an_event("6", "Created", 1), an_event("5", at=10)],
            [an_event("5", at=20, provider_id="2"), an_event("6", "Deleted", 20)],
            [
                an_event("5", at=30, provider_id="3", provider_name="Three"),
                an_event("7", at=30),
                an_event("5", at=30, status="Pending", provider_id="2"),
            ],
            [an_event("6", at=40, origin="operator")],
        ):
            folds.append(connection, account, batch)


@pytest.fixture
def log(connection: Connection) -> None:
    fill(connection)
    for account in (ACCOUNT, OTHER):
        folds.fold(connection, account)


@pytest.fixture(scope="module")
def made(
    shared_database: Database, shared: Connection, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    fill(shared)
    path = tmp_path_factory.mktemp("audit") / "made"
    return gathered(shared_database, path, Question("5", account=ACCOUNT), KEY)


@pytest.fixture
def honest(made: Path, tmp_path: Path) -> Path:
    """A signed bundle of number 5, to be altered."""
    return Path(shutil.copy(made, tmp_path / "bundle"))


@pytest.mark.usefixtures("log")
def test_evidence_holds_all_of_a_number_and_nothing_of_others(report: Gather) -> None:
    path = report(number="+12025550005", account=ACCOUNT, key=KEY)
    assert examined(path, PUBLIC) == []
    assert examined(path).notes == [
        f"signed with key {PUBLIC.hex()}; whose that is was not asked: --public-key"
    ]
    assert [row["position"] for row in table(path, "event")] == [1, 3, 4, 6, 8]
    assert {row["account_id"] for row in table(path, "head")} == {ACCOUNT}
    assert [row["last_position"] for row in table(path, "seal")] == [3, 5, 8, 9]
    assert [bool(row["payload_hashes"]) for row in table(path, "seal")] == [True] * 3 + [False]
    kinds = [row["kind"] for row in table(path, "change")]
    assert kinds == ["created", *["provider_changed"] * 3]
    assert len(table(path, "reassignment")) == 3
    said = {(row["table_name"], row["column_name"]) for row in table(path, "data_dictionary")}
    for name in layout.TABLES:
        assert {(name.name, column) for column in ("", *name.names)} <= said
    assert all(row["description"] for row in table(path, "data_dictionary"))


@pytest.mark.usefixtures("log")
def test_all_ids_that_held_a_number_are_in_its_evidence(
    report: Gather, connection: Connection
) -> None:
    folds.append(connection, ACCOUNT, [an_event("8", "Created", 50, phone_number="+12025550005")])
    folds.fold(connection, ACCOUNT)
    path = report(number="+1 202 555 0005", account=ACCOUNT)
    assert [row["phone_number_id"] for row in table(path, "number")] == ["5", "8"]
    assert examined(path) == []
    with pytest.raises(NumberUnknown):
        report(number="+12025559999")


@pytest.mark.usefixtures("log")
def test_evidence_of_a_period_says_whose_history_is_not_whole(report: Gather) -> None:
    whole = report(since=START, account=ACCOUNT)
    assert examined(whole).notes == [
        "not signed: whoever altered it could have made the manifest anew"
    ]
    part = report(since=START + timedelta(seconds=20), until=START + timedelta(seconds=31))
    assert [row["here"] for row in table(part, "number")] == [3, 1, 1] * 2
    assert {row["account_id"] for row in table(part, "head")} == {ACCOUNT, OTHER}
    found = examined(part)
    assert found == []
    assert found.notes[-1] == (
        "4 numbers have events outside the period: "
        "their versions and changes cannot be concluded from those here"
    )
    nothing = report(until=START, account=OTHER)
    assert examined(nothing) == []
    assert [row["last_position"] for row in table(nothing, "seal")] == [9]


# What is done to a bundle by somebody who can make its manifest anew, but cannot sign it; and what
# must be named for it.
OF_4 = "WHERE position = 4"
PENDING = "payload = replace(payload, 'Normal', 'Pending')"
SHA = "payload_sha256 = sha256(replace(payload, 'Normal', 'Pending'))"
SPLICED = """
UPDATE seal
SET payload_hashes = spliced((SELECT payload_sha256 FROM event WHERE position = 4), payload_hashes)
WHERE last_position = 5
"""
TAMPERINGS: dict[str, tuple[str, set[tuple[str, int | None]]]] = {
    "payload": (
        f"UPDATE event SET {PENDING} {OF_4}",
        {("event.payload_sha256", 4), ("event.payload", 4), ("event.status", 4)},
    ),
    "payload and hash": (
        f"UPDATE event SET {PENDING}, {SHA} {OF_4}",
        {("event.payload", 4), ("event.status", 4)},
    ),
    "payload, hash and seal's hashes": (
        f"UPDATE event SET {PENDING}, {SHA} {OF_4}; {SPLICED}",
        {("seal.events_hash", 5), ("event.status", 4)},
    ),
    "payload, hash, seal's hashes and theirs": (
        f"UPDATE event SET {PENDING}, {SHA} {OF_4}; {SPLICED};"
        "UPDATE seal SET events_hash = sha256(payload_hashes) WHERE last_position = 5",
        {("seal.hash", 5), ("event.status", 4)},
    ),
    "column": (f"UPDATE event SET location = 'Mars' {OF_4}", {("event.location", 4)}),
    "origin": (f"UPDATE event SET origin = 'observation' {OF_4}", {("event.origin", 4)}),
    "kind that there is not": (
        f"UPDATE event SET event_type = 'Renamed' {OF_4}",
        {("event.event_type", 4)},
    ),
    "time of recording": (
        f"UPDATE event SET recorded_at = occurred_at {OF_4}",
        {("event.recorded_at", 4)},
    ),
    "words": (f"UPDATE event SET did = 'nothing' {OF_4}", {("event.did", 4)}),
    "standing": ("UPDATE number SET standing = 'gone'", {("number.standing", None)}),
    "event gone": (f"DELETE FROM event {OF_4}", {("number.here", None)}),
    "event gone and not counted": (
        f"DELETE FROM event {OF_4}; UPDATE number SET events = 4, here = 4",
        {("version", 4), ("change", 4)},
    ),
    "event of a whole history not here": (
        f"DELETE FROM event {OF_4}; UPDATE number SET here = 4",
        {("number.events", None)},
    ),
    "event added": (
        "CREATE TEMP TABLE stray AS SELECT * FROM event WHERE position = 4;"
        "UPDATE stray SET position = 2; INSERT INTO event SELECT * FROM stray",
        {("event.payload", 2), ("number.here", None)},
    ),
    "event moved behind the head": (
        f"UPDATE event SET position = 44 {OF_4}",
        {("event.position", 44)},
    ),
    "version": ("UPDATE version SET status = 'Mars' WHERE opened_by = 4", {("version.status", 4)}),
    "version gone": ("DELETE FROM version WHERE opened_by = 4", {("version", 4)}),
    "version added": (
        "CREATE TEMP TABLE stray AS SELECT * FROM version WHERE opened_by = 4;"
        "UPDATE stray SET opened_by = 3; INSERT INTO version SELECT * FROM stray",
        {("version", 3)},
    ),
    "version of another number": (
        "UPDATE version SET phone_number_id = '66' WHERE opened_by = 4",
        {("version", 4), ("number", 4)},
    ),
    "change": ("UPDATE change SET kind = 'deleted' WHERE position = 4", {("change.kind", 4)}),
    "change gone": ("DELETE FROM change WHERE position = 4", {("change", 4)}),
    "number gone": ("DELETE FROM number", {("number", at) for at in (1, 3, 4, 6, 8)}),
    "seal gone": (
        "DELETE FROM seal WHERE last_position = 5",
        {("seal.first_position", 8), ("seal.previous_hash", 8), ("event.position", 4)},
    ),
    "last seal gone": (
        "DELETE FROM seal WHERE last_position = 9",
        {("head.position", 8), ("head.head_hash", 8)},
    ),
    "seal's source": (
        "UPDATE seal SET source = 'websocket' WHERE last_position = 5",
        {("seal.hash", 5)},
    ),
    "seal's hashes gone": (
        "UPDATE seal SET payload_hashes = NULL WHERE last_position = 5",
        {("event.payload", 4)},
    ),
    "seal's hashes cut off": (
        "UPDATE seal SET payload_hashes = substr(payload_hashes, 1, 32) WHERE last_position = 5",
        {("seal.payload_hashes", 5), ("seal.events_hash", 5)},
    ),
    "head": ("UPDATE head SET head_hash = sha256('')", {("head.head_hash", 9)}),
    "head gone": ("DELETE FROM head", {("head", 9)}),
    "table added": ("CREATE TABLE more (x)", {("schema", None)}),
    "table in another form": (
        "CREATE TABLE other AS SELECT * FROM change; DROP TABLE change;"
        "CREATE VIEW change AS SELECT * FROM other",
        {("schema", None)},
    ),
    "trigger added": (
        "CREATE TRIGGER t AFTER INSERT ON event BEGIN SELECT 1; END",
        {("schema", None)},
    ),
    "no instant": (
        "UPDATE event SET recorded_at = 'yesterday'",
        {("event.recorded_at", None)},
    ),
    "an instant in another spelling": (
        "UPDATE seal SET sealed_at = replace(sealed_at, 'Z', '+00:00')",
        {("seal.sealed_at", None)},
    ),
    "no hash": ("UPDATE seal SET hash = x'00'", {("seal.hash", None)}),
    "no number": ("UPDATE head SET position = 'nine'", {("head.position", None)}),
    "no text": (
        f"UPDATE event SET location = CAST(x'ff' AS TEXT) {OF_4}",
        {("event.location", None)},
    ),
}


def tampered(path: Path, deed: str, *, manifest: bool = True) -> Path:
    """Do *deed* to a bundle, and make its *manifest* anew."""
    with closing(sqlite3.connect(path)) as connection:
        connection.create_function("sha256", 1, sha256_of, deterministic=True)
        connection.create_function("spliced", 2, lambda hash_, hashes: hash_ + hashes[32:])
        connection.executescript(deed)
        connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
        for table_ in layout.CONTENT if manifest else ():
            rows = connection.execute(
                f"SELECT {', '.join(table_.names)} FROM {table_.name} ORDER BY {', '.join(table_.key)}"
            )
            found = digest(table_, rows)
            for name, value in (("rows", str(found.rows)), ("sha256", found.sha256.hex())):
                connection.execute(
                    "UPDATE manifest SET value = ? WHERE name = ?", [value, f"{table_.name}.{name}"]
                )
        connection.commit()
    return path


def sha256_of(value: str | bytes) -> bytes:
    return sha256(value.encode() if isinstance(value, str) else value).digest()


def test_a_row_that_an_index_hides_is_found(honest: Path) -> None:
    with closing(sqlite3.connect(honest, isolation_level=None)) as connection:
        index = connection.execute(
            "SELECT * FROM sqlite_master WHERE name = 'event_of_number'"
        ).fetchone()
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("DELETE FROM sqlite_master WHERE name = 'event_of_number'")
    with closing(sqlite3.connect(honest, isolation_level=None)) as connection:
        connection.execute("CREATE TEMP TABLE stray AS SELECT * FROM event WHERE position = 4")
        connection.execute("UPDATE stray SET position = 2")
        connection.execute("INSERT INTO event SELECT * FROM stray")
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("INSERT INTO sqlite_master VALUES (?, ?, ?, ?, ?)", index)
    assert examined(tampered(honest, UNSIGNED)).named == {("file", None)}


UNSIGNED = "DELETE FROM signature;"


@pytest.mark.parametrize("tampering", TAMPERINGS, ids=lambda name: name.replace(" ", "-"))
def test_what_is_done_to_a_bundle_is_named(honest: Path, tampering: str) -> None:
    deed, named = TAMPERINGS[tampering]
    found = examined(tampered(honest, UNSIGNED + deed))
    assert named <= found.named
    assert not {what for what, _ in found.named if what.startswith("manifest")}


def test_every_alteration_belies_the_manifest_and_one_of_that_the_signature(honest: Path) -> None:
    for table_ in layout.CONTENT:
        for column in table_.columns:
            copy = Path(shutil.copy(honest, honest.with_name("copy")))
            tampered(copy, altered(table_, column), manifest=False)
            assert (f"manifest.{table_.name}.sha256", None) in examined(copy, PUBLIC).named
            tampered(copy, "")
            assert ("signature", None) in examined(copy, PUBLIC).named
    for name in table(honest, "manifest"):
        copy = Path(shutil.copy(honest, honest.with_name("copy")))
        if name["name"] != "format":
            deed = f"UPDATE manifest SET value = 'x' WHERE name = '{name['name']}'"
            tampered(copy, deed, manifest=False)
            assert ("signature", None) in examined(copy, PUBLIC).named


# These follow from nothing else in a bundle: only the signature speaks for them.
UNPROVABLE = {
    *(f"data_dictionary.{name}" for name in layout.DATA_DICTIONARY.names),
    "head.at",
}


def test_no_column_can_be_altered_unseen_even_if_nothing_is_signed(honest: Path) -> None:
    for table_ in layout.CONTENT:
        for column in table_.columns:
            copy = Path(shutil.copy(honest, honest.with_name("copy")))
            tampered(copy, UNSIGNED + altered(table_, column))
            what = f"{table_.name}.{column.name}"
            assert bool(examined(copy)) is (what not in UNPROVABLE), what


def altered(table_: layout.Table, column: layout.Column) -> str:
    """The deed that alters *column* in one row, to something that could stand there."""
    another = {
        "text": f"coalesce({column.name}, '') || '0'",
        "integer": f"coalesce({column.name}, 0) + 1",
        "instant": "'2020-01-01T00:00:00.000000Z'",
        "hash": "zeroblob(32)",
        "hashes": "zeroblob(32)",
        "bytes": "x'00'",
    }[column.kind]
    key = ", ".join(table_.key)
    return (
        f"UPDATE {table_.name} SET {column.name} = {another} WHERE ({key}) IN"
        f" (SELECT {key} FROM {table_.name} ORDER BY {key} DESC LIMIT 1)"
    )


def test_that_an_event_which_changed_nothing_was_left_out_only_the_signature_tells(
    honest: Path,
) -> None:
    deed = "DELETE FROM event WHERE position = 3; UPDATE number SET events = 4, here = 4;"
    assert examined(tampered(honest, deed), PUBLIC).named == {("signature", None)}
    assert examined(tampered(honest, UNSIGNED)) == []


def test_a_chain_forged_whole_is_found_by_a_head_noted_before(honest: Path) -> None:
    (head,) = table(honest, "head")
    noted = Anchor(ACCOUNT, 9, bytes(head["head_hash"]))  # type: ignore[call-overload]
    assert examined(honest, PUBLIC, [noted]) == []
    forge(honest)
    assert examined(honest) == []
    assert examined(honest, anchors=[noted]).named == {("head", 9)}
    seals = [Anchor(ACCOUNT, at, bytes(32)) for at in (3, 8)]
    assert examined(honest, anchors=seals).named == {("head", 3), ("head", 8)}


def forge(path: Path) -> None:
    """Say of event 4 that it was recorded another day, and seal all from there on anew."""
    with closing(sqlite3.connect(path)) as connection:
        recorded_at = "2020-01-01T00:00:00.000000Z"
        connection.execute("UPDATE event SET recorded_at = ? WHERE position = 4", [recorded_at])
        connection.execute("UPDATE seal SET sealed_at = ? WHERE last_position = 5", [recorded_at])
        previous_hash = genesis(ACCOUNT)
        for first, last, sealed_at, events_hash, source in connection.execute(
            "SELECT first_position, last_position, sealed_at, events_hash, source FROM seal"
            " ORDER BY last_position"
        ).fetchall():
            at = layout.instant(sealed_at)
            hash_ = seal_hash(previous_hash, first, last, at, events_hash, source)
            connection.execute(
                "UPDATE seal SET previous_hash = ?, hash = ? WHERE last_position = ?",
                [previous_hash, hash_, last],
            )
            previous_hash = hash_
        connection.execute("UPDATE head SET head_hash = ?", [previous_hash])
        connection.commit()
    tampered(path, UNSIGNED)


@pytest.mark.parametrize(
    ("position", "found"),
    [(7, "no seal ends there"), (10, None), (0, None)],
)
def test_a_head_that_cannot_be_compared_shows_nothing(
    honest: Path, position: int, found: str | None
) -> None:
    (difference,) = examined(honest, anchors=[Anchor(ACCOUNT, position, genesis("x"))])
    assert difference.what == "head"
    assert difference.found == (found if position else genesis(ACCOUNT).hex())


def test_heads_of_other_accounts_show_nothing(honest: Path) -> None:
    (difference,) = examined(honest, anchors=[Anchor(OTHER, 9, bytes(32))])
    assert difference.expected == "a head noted within 0…9"
    assert difference.found is None


def test_the_head_before_the_first_seal_here_may_be_the_one_that_was_noted(
    report: Gather, connection: Connection
) -> None:
    fill(connection)
    path = report(number="7", account=ACCOUNT)
    assert [row["last_position"] for row in table(path, "seal")] == [8, 9]
    rows = connection.execute(
        "SELECT last_position, hash FROM inventory.seal WHERE account_id = %s ORDER BY 1", [ACCOUNT]
    ).fetchall()
    anchors = {position: Anchor(ACCOUNT, position, hash_) for position, hash_ in rows}
    assert examined(path, anchors=[anchors[5]]) == []
    assert examined(path, anchors=[anchors[3], anchors[9]]) == []
    assert examined(path, anchors=[anchors[3]])[0].expected == "a head noted within 5…9"


def test_a_bundle_without_one_of_its_tables_is_looked_at_no_further(honest: Path) -> None:
    found = examined(tampered(honest, "DROP TABLE version", manifest=False))
    assert found.named == {("schema", None)}
    assert found.notes == ["malformed: nothing else of it was looked at"]


def test_words_of_another_version_are_not_compared(honest: Path) -> None:
    deed = "UPDATE event SET did = 'made'; UPDATE manifest SET value = 'inventory 7' WHERE name = 'program'"
    found = examined(tampered(honest, UNSIGNED + deed))
    assert found == []
    assert "written by inventory 7: its words were not compared" in found.notes


def test_who_signed_is_who_must_have(honest: Path) -> None:
    other = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    (difference,) = examined(honest, other)
    assert difference[3:] == ("signature.public_key", other.hex(), PUBLIC.hex())
    (difference,) = examined(tampered(honest, UNSIGNED), PUBLIC)
    assert difference[3:] == ("signature.public_key", PUBLIC.hex(), None)


def test_a_signature_of_another_manifest_is_none(honest: Path) -> None:
    signature = sign(KEY, bytes(32)).signature
    deed = f"UPDATE signature SET signature = x'{signature.hex()}'"
    assert examined(tampered(honest, deed), PUBLIC).named == {("signature", None)}
    deed = "UPDATE signature SET algorithm = 'none'"
    assert examined(tampered(honest, deed)).named == {("signature", None)}


@pytest.mark.parametrize(
    "content",
    [b"", b"no database", b"SQLite format 3\0" + bytes(100), None],
    ids=["empty", "text", "torn", "none"],
)
def test_what_is_no_bundle_is_said_to_be_none(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "given"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(NoBundle, match="expected a bundle that `inventory audit report"):
        examined(path)


def test_a_bundle_of_another_format_is_none_of_ours(honest: Path) -> None:
    tampered(honest, "UPDATE manifest SET value = 'inventory evidence 2' WHERE name = 'format'")
    with pytest.raises(NoBundle, match="inventory evidence 1"):
        examined(honest)


def test_a_torn_bundle_is_none(honest: Path) -> None:
    content = honest.read_bytes()
    honest.write_bytes(content[: len(content) // 2])
    with pytest.raises(NoBundle, match="malformed"):
        examined(honest)


def test_a_bundle_that_cannot_be_finished_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "bundle"
    path.write_text("what was there before")
    with pytest.raises(ZeroDivisionError), bundle.created(path):
        raise ZeroDivisionError
    assert [found.name for found in tmp_path.iterdir()] == ["bundle"]
    assert path.read_text() == "what was there before"


def test_keys_are_those_of_openssl(tmp_path: Path) -> None:
    openssl(tmp_path, "genpkey -algorithm ed25519 -out key.pem")
    openssl(tmp_path, "pkey -in key.pem -pubout -out public.pem")
    openssl(tmp_path, "genpkey -algorithm ed25519 -aes256 -pass pass:secret -out secret.pem")
    openssl(tmp_path, "genpkey -algorithm x25519 -out other.pem")
    key, public, secret, other = (
        (tmp_path / f"{name}.pem").read_bytes() for name in ("key", "public", "secret", "other")
    )
    assert private_key(key).public_key().public_bytes_raw() == public_key(public)
    for wrong in (public, secret, other, b"", b"junk"):
        with pytest.raises(InvalidKey, match="private Ed25519 key in PEM, without a passphrase"):
            private_key(wrong)
    for wrong in (key, b"", b"junk"):
        with pytest.raises(InvalidKey, match="public Ed25519 key in PEM"):
            public_key(wrong)


def openssl(directory: Path, arguments: str) -> None:
    subprocess.run(["openssl", *arguments.split()], cwd=directory, check=True, capture_output=True)
