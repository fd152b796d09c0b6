"""`inventory audit`: evidence that leaves the house, and its examination by a stranger."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from inventory import sample
from tests.conftest import Command, clean_environment

NUMBER = sample.DEMO_NUMBER


@pytest.fixture
def filled(inventory: Command, tmp_path: Path) -> Command:
    """The command, on a database that holds the demo's history; and keys beside it."""
    (tmp_path / "history.ndjson").write_bytes(b"\n".join(sample.demo_history()))
    inventory("event", "ingest", "history.ndjson", INVENTORY_ACCOUNT_ID=sample.DOCUMENTED_ACCOUNT)
    inventory("projection", "run")
    for arguments in (
        "genpkey -algorithm ed25519 -out key.pem",
        "pkey -in key.pem -pubout -out public.pem",
    ):
        subprocess.run(["openssl", *arguments.split()], cwd=tmp_path, check=True)
    return inventory


@pytest.fixture
def stranger(tmp_path: Path) -> Command:
    """The command, where no database is and no setting."""
    unreachable = "postgresql://127.0.0.1:1/none"
    return Command(clean_environment() | {"INVENTORY_DATABASE_URL": unreachable}, tmp_path)


def test_a_stranger_can_verify_what_was_signed(
    filled: Command, stranger: Command, tmp_path: Path
) -> None:
    filled("event", "head", "-o", "heads.ndjson")
    sqlite = ["--format", "sqlite", "--key", "key.pem"]
    done = filled("audit", "report", NUMBER, *sqlite, "-o", "number.sqlite")
    assert "its whole history: events=6 numbers=1 seals=1" in done.stderr
    span = ["--since", "2026-03-01", "--until", "2026-05-01"]
    filled("audit", "report", *span, *sqlite, "-o", "period.sqlite")
    for name in ("number.sqlite", "period.sqlite"):
        demanded = ["--public-key", "public.pem", "--head", "heads.ndjson"]
        done = stranger("audit", "verify", name, *demanded)
        assert done.stdout == ""
        assert "differences=0" in done.stderr
    assert "numbers have events outside the period" in done.stderr
    with closing(sqlite3.connect(tmp_path / "number.sqlite")) as connection:
        connection.execute("UPDATE change SET kind = 'deleted' WHERE kind = 'reassigned_out'")
        connection.commit()
    done = stranger("audit", "verify", "number.sqlite", "--public-key", "public.pem", exits=3)
    rows = {row["what"]: row for row in map(json.loads, done.stdout.splitlines())}
    assert set(rows) == {"manifest.change.sha256", "change.kind"}
    assert rows["change.kind"]["expected"] == "reassigned_out"
    assert rows["change.kind"]["phone_number_id"] == "987654321"
    done = stranger("audit", "verify", "number.sqlite", "--format", "csv", exits=3)
    assert done.stdout.startswith("account_id,position,phone_number_id,what,expected,found")


def test_it_is_written_in_every_form(filled: Command, tmp_path: Path) -> None:
    out = filled("audit", "report", NUMBER, "--format", "csv", "-o", "-").stdout
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["did"] for row in rows][:2] == [
        "created as +12024999741 with provider 12345 (ProviderName)",
        "moved from provider 12345 (ProviderName) to provider 7 (Five9)",
    ]
    assert {row["source"] for row in rows} == {"file:history.ndjson"}
    content = json.loads(filled("audit", "report", NUMBER, "--format", "json", "-o", "-").stdout)
    assert [row["position"] for row in content["event"]] == sorted(
        int(row["position"]) for row in rows
    )
    filled("audit", "report", NUMBER, "--format", "html", "-o", "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "<svg" in page


def test_what_cannot_be_reported_or_verified_is_an_error_of_one_line(
    filled: Command, tmp_path: Path
) -> None:
    out = ["--format", "sqlite", "-o", "bundle"]
    (tmp_path / "bundle").write_text("mine")
    filled("audit", "report", *out, exits=2)
    filled("audit", "report", NUMBER, "--since", "-1d", *out, exits=2)
    filled("audit", "report", NUMBER, "--format", "html", "-o", "x", "--key", "key.pem", exits=2)
    filled("audit", "report", NUMBER, "--format", "sqlite", "-o", "-", exits=2)
    for arguments, sentence in (
        (["report", "+15550000000", *out], "found no event of '+15550000000'"),
        (["report", NUMBER, *out, "--key", "public.pem"], "expected a private Ed25519 key"),
        (["report", NUMBER, "--format", "sqlite", "-o", "no/where"], "expected to write no/where"),
        (["report", NUMBER, "--format", "html", "-o", "no/where"], "expected to write no/where"),
        (["verify", "bundle"], "expected a bundle that"),
        (["verify", "nowhere"], "there is no such file"),
        (["verify", "bundle", "--public-key", "key.pem"], "expected a public Ed25519 key"),
    ):
        done = filled("audit", *arguments, exits=1)
        assert sentence in done.stderr
        assert "Traceback" not in done.stderr
    assert (tmp_path / "bundle").read_text() == "mine"


def test_what_is_not_folded_yet_is_said(inventory: Command, tmp_path: Path) -> None:
    (tmp_path / "history.ndjson").write_text(json.dumps(sample.documented_notification()))
    inventory("event", "ingest", "history.ndjson")
    done = inventory("audit", "report", "987654321", "--format", "json", "-o", "-")
    assert "1 events are not folded yet" in done.stderr
    assert len(json.loads(done.stdout)["version"]) == 1
