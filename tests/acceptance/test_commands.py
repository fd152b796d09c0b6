"""The command line, as people use it."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest

from inventory import sample
from inventory.cli import inventory as program
from tests.conftest import Command
from tests.waiting import until


def rows(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize("form", ["object", "array", "ndjson", "pretty", "gzip", "stdin"])
def test_every_form_of_file_is_taken_in(inventory: Command, tmp_path: Path, form: str) -> None:
    sent = [sample.documented_notification() | {"uuid": str(n)} for n in range(3)]
    if form == "object":
        sent = sent[:1]
    lines = "\n".join(map(json.dumps, sent)).encode()
    content = {
        "object": json.dumps(sent[0], indent=3).encode(),
        "array": json.dumps(sent, indent=1).encode(),
        "ndjson": lines,
        "pretty": "\n".join(json.dumps(item, indent=2) for item in sent).encode(),
        "gzip": gzip.compress(lines),
        "stdin": lines,
    }[form]
    path = tmp_path / "notifications"
    path.write_bytes(content)
    if form == "stdin":
        done = inventory("event", "ingest", "-", input=content)
    else:
        done = inventory("event", "ingest", str(path))
    assert done.stdout == ""
    assert done.stderr.splitlines()[-1] == f"appended={len(sent)} duplicates=0 quarantined=0"
    again = inventory("event", "ingest", "--format", "json", str(path), str(path))
    assert json.loads(again.stdout) == {
        "appended": 0,
        "duplicates": 2 * len(sent),
        "quarantined": 0,
    }


def test_a_truncated_gzip_lands_what_it_holds_and_fails(inventory: Command, tmp_path: Path) -> None:
    path = tmp_path / "cut.gz"
    sent = list(sample.history(events=1000, numbers=100))
    whole = gzip.compress(b"\n".join(sent), compresslevel=1)
    path.write_bytes(whole[: len(whole) * 3 // 4])
    done = inventory("event", "ingest", str(path), exits=1)
    appended = re.search(r"appended=(\d+) ", done.stderr)
    assert appended is not None
    assert len(sent) // 2 < int(appended[1]) < len(sent)
    assert "compressed data is cut off" in done.stderr


def test_a_missing_file_is_an_error_of_one_line(inventory: Command) -> None:
    done = inventory("event", "ingest", "nowhere.json", exits=1)
    assert "nowhere.json, but there is no such file" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_inventory_is_listed_in_every_format(filled: Command) -> None:
    ndjson = rows(filled("number", "list").stdout)
    assert len(ndjson) > 50
    assert json.loads(filled("number", "list", "--format", "json").stdout) == ndjson
    in_csv = list(csv.DictReader(io.StringIO(filled("number", "list", "--format", "csv").stdout)))
    assert [row["phone_number"] for row in in_csv] == [row["phone_number"] for row in ndjson]
    assert list(in_csv[0]) == list(ndjson[0])
    table = filled("number", "list", "--format", "table").stdout
    assert f"({len(ndjson)} rows)" in table
    assert "Zürich" in table


def test_lists_can_be_narrowed_limited_and_written_to_a_file(
    filled: Command, tmp_path: Path
) -> None:
    account = ["--account", sample.DOCUMENTED_ACCOUNT]
    few = rows(filled("number", "list", *account, "--provider", "7", "--limit", "2").stdout)
    assert [(row["account_id"], row["provider_id"]) for row in few] == [
        (sample.DOCUMENTED_ACCOUNT, "7")
    ] * 2
    pending = rows(filled("number", "list", "--status", "Pending").stdout)
    assert {row["status"] for row in pending} == {"Pending"}
    out = tmp_path / "numbers.csv"
    assert filled("number", "list", "--format", "csv", "-o", str(out)).stdout == ""
    assert out.read_text(encoding="utf-8").startswith("account_id,phone_number_id,phone_number,")


def test_the_inventory_of_another_day(filled: Command) -> None:
    number = ["--account", sample.DOCUMENTED_ACCOUNT]
    then = rows(filled("number", "list", *number, "--at", "2020-01-01").stdout)
    assert [row["phone_number"] for row in then] == [sample.DEMO_NUMBER]
    assert rows(filled("number", "list", "--known-at", "2020-01-01").stdout) == []


@pytest.mark.parametrize(
    "spelling",
    [
        *("987654321", "+12024999741", "+1 (202) 499-9741", "1-202-499-9741", "(202) 499-9741"),
        *("12024999741", "tel:+1-202-499-9741", "202.499.9741"),
    ],
)
def test_a_number_is_found_in_any_spelling(filled: Command, spelling: str) -> None:
    (row,) = rows(filled("number", "show", spelling).stdout)
    assert row["phone_number_id"] == "987654321"


def test_a_number_nobody_heard_of_is_said_to_be_unknown(filled: Command) -> None:
    assert (
        "found no event of '+15550000000'"
        in filled("number", "show", "+15550000000", exits=1).stderr
    )


def test_the_history_of_a_number(filled: Command) -> None:
    versions = rows(filled("number", "history", sample.DEMO_NUMBER).stdout)
    assert [version["provider_id"] for version in versions] == ["12345", "7", "7", "7"]
    assert versions[-1]["valid_to"] is None
    words = filled("number", "explain", sample.DEMO_NUMBER).stdout
    assert "moved from provider 12345 (ProviderName) to provider 7 (Five9)" in words
    assert "after younger events of it" in words


def test_changes_and_reassignments_can_be_narrowed(filled: Command) -> None:
    everything = rows(filled("change", "list").stdout)
    assert [c["changed_at"] for c in everything] == sorted(
        (c["changed_at"] for c in everything), reverse=True
    )
    moved = rows(filled("reassignment", "list").stdout)
    kinds = {"reassigned_in", "provider_changed", "reassigned_out"}
    assert {change["kind"] for change in moved} == kinds
    assert len(moved) == sum(change["kind"] in kinds for change in everything)
    span = ["--since", "2026-03-01", "--until", "2026-04-01"]
    assert all(
        change["changed_at"].startswith("2026-03")
        for change in rows(filled("change", "list", *span).stdout)
    )
    (deleted,) = {c["kind"] for c in rows(filled("change", "list", "--kind", "deleted").stdout)}
    assert deleted == "deleted"
    to = rows(
        filled("reassignment", "list", "--from-provider", "12345", "--to-provider", "7").stdout
    )
    assert {(c["from_provider_id"], c["to_provider_id"]) for c in to} == {("12345", "7")}
    assert rows(filled("change", "list", "--since", "-1d").stdout) == []


def test_events_are_listed_and_shown_as_they_arrived(filled: Command) -> None:
    account = ["--account", sample.DOCUMENTED_ACCOUNT]
    events = rows(filled("event", "list", *account, "--number", sample.DEMO_NUMBER).stdout)
    assert [event["event_type"] for event in events][:2] == ["Created", "Updated"]
    assert "payload" not in events[0]
    shown = json.loads(filled("event", "show", "1", *account).stdout)
    assert shown["payload"] == sample.documented_notification()
    raw = filled("event", "show", "1", *account, "--payload").stdout
    assert raw == json.dumps(sample.documented_notification(), ensure_ascii=False)
    assert "expected --account, one of" in filled("event", "show", "1", exits=1).stderr
    tail = rows(filled("event", "tail", "-n", "3").stdout)
    assert len(tail) == 9
    late = rows(filled("event", "list", "--type", "Deleted", "--limit", "1").stdout)
    assert late[0]["event_type"] == "Deleted"


def test_an_event_is_shown_with_numbers_that_python_cannot_hold(inventory: Command) -> None:
    sent = json.dumps(sample.documented_notification())[:-1]
    numbers = ["9" * 5000, "1e999999", "0.10"]
    inventory("event", "ingest", "-", input=f'{sent}, "more": [{",".join(numbers)}]}}'.encode())
    shown = json.loads(
        inventory("event", "show", "1").stdout, parse_int=lambda n: n, parse_float=lambda n: n
    )
    assert shown["payload"]["more"] == numbers


@pytest.mark.parametrize(
    "command",
    [
        ("event", "list", "--format", "table"),
        ("number", "list", "--format", "table"),
        ("number", "explain", "987654321"),
        ("replay",),
    ],
    ids=" ".join,
)
def test_what_others_wrote_cannot_order_a_terminal_about(
    inventory: Command, command: tuple[str, ...]
) -> None:
    sent = sample.documented_notification()
    evil = "\x1b]0;evil\x07\x9b31m\u202e"
    sent["body"]["phoneNumberInfo"] |= {
        "location": evil,
        "status": evil,
        "phoneNumber": evil,
        "usageType": "ContactCenterNumber",
    }
    inventory("event", "ingest", "-", input=json.dumps(sent).encode())
    inventory("projection", "run")
    said = inventory(*command).stdout
    assert "\N{REPLACEMENT CHARACTER}]0;evil" in said
    assert not set("\x1b\x07\x9b\u202e") & set(said)


def test_quarantine_is_listed_shown_retried_and_discarded(filled: Command) -> None:
    items = rows(filled("quarantine", "list").stdout)
    assert len(items) == 11
    (unrelated,) = rows(filled("quarantine", "list", "--reason", "account_mismatch").stdout)
    shown = filled("quarantine", "show", str(unrelated["id"]))
    assert "reason: account_mismatch" in shown.stderr
    assert json.loads(shown.stdout)["body"]["phoneNumberInfo"]
    assert "quarantined=11" in filled("quarantine", "retry", "--all").stderr
    filled("quarantine", "discard", "--all", exits=2)
    filled("quarantine", "discard", "--because", "no", exits=2)
    done = filled("quarantine", "discard", "--reason", "invalid_json", "--because", "a probe")
    assert "discarded=2" in done.stderr
    assert len(rows(filled("quarantine", "list").stdout)) == 9
    everything = rows(filled("quarantine", "list", "--all").stdout)
    assert sum(item["resolution"] == "discarded: a probe" for item in everything) == 2
    assert "expected an open item 999" in filled("quarantine", "show", "999", exits=1).stderr


def test_the_projection_reports_its_lag_and_is_rebuilt(inventory: Command, tmp_path: Path) -> None:
    history = tmp_path / "h.ndjson"
    history.write_bytes(b"\n".join(sample.history(events=200, numbers=20)))
    inventory("event", "ingest", str(history))
    (status,) = rows(inventory("projection", "status").stdout)
    assert (status["head"], status["projected_position"], status["lag_events"]) == (200, 0, 200)
    assert status["lag_seconds"] > 0
    assert "folded 200 events" in inventory("projection", "run").stderr
    (status,) = rows(inventory("projection", "status").stdout)
    assert (status["lag_events"], status["lag_seconds"]) == (0, 0)
    before = inventory("number", "list").stdout
    assert "rebuilt 1 accounts from 200 events" in inventory("projection", "rebuild").stderr
    assert inventory("number", "list").stdout == before


def test_following_folds_what_comes_until_it_is_told_to_stop(
    inventory: Command, database: Any
) -> None:
    follower = subprocess.Popen(
        [sys.executable, "-m", "inventory", "projection", "run", "--follow"],
        env=os.environ | {"INVENTORY_DATABASE_URL": database.url},
        stderr=subprocess.PIPE,
    )
    try:
        notification = json.dumps(sample.documented_notification()).encode()
        inventory("event", "ingest", "-", input=notification)
        until(lambda: rows(inventory("number", "list").stdout))
        follower.send_signal(signal.SIGTERM)
        _, said = follower.communicate(timeout=30)
        assert follower.returncode == 130
        assert b"Traceback" not in said
    finally:
        follower.kill()
        follower.wait()


def test_ctrl_c_during_an_ingest_reports_what_is_in(
    inventory: Command, tmp_path: Path, database: Any
) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    ingesting = subprocess.Popen(
        [sys.executable, "-m", "inventory", "event", "ingest", str(fifo)],
        env=os.environ | {"INVENTORY_DATABASE_URL": database.url},
        stderr=subprocess.PIPE,
    )
    try:
        with fifo.open("wb") as pipe:
            for line in sample.history(events=12_000, numbers=100):
                pipe.write(line + b"\n")
            pipe.flush()
            until(lambda: len(inventory("event", "list", "--limit", "1").stdout) > 0)
            ingesting.send_signal(signal.SIGINT)
            _, said = ingesting.communicate(timeout=30)
        assert ingesting.returncode == 130
        reported = re.search(r"appended=(\d+) ", said.decode())
        assert reported is not None
        (status,) = rows(inventory("projection", "status").stdout)
        assert status["head"] == int(reported[1]) >= 5000
    finally:
        ingesting.kill()
        ingesting.wait()


def test_the_database_tells_of_itself(filled: Command, database: Any) -> None:
    status = filled("db", "status")
    assert "schema at revision" in status.stderr
    assert len(rows(status.stdout)) == 3
    assert filled("db", "url").stdout.strip() == database.url
    done = filled("db", "psql", "-Atc", "SELECT count(*) > 50 FROM contact_center_number")
    assert done.stdout.strip() == "t"
    filled("db", "psql", "-c", "SELECT nonsense", exits=1)
    assert "inventory_reader" in filled("db", "roles").stderr
    filled("db", "upgrade")


def test_an_old_schema_is_refused_and_upgraded(empty_database: Any, tmp_path: Path) -> None:
    command = Command(os.environ | {"INVENTORY_DATABASE_URL": empty_database.url}, tmp_path)
    assert "`inventory db upgrade`" in command("number", "list", exits=1).stderr
    command("db", "upgrade")
    assert command("number", "list").stdout == ""


def test_mistakes_have_their_exit_codes(inventory: Command) -> None:
    inventory("nonsense", exits=2)
    inventory("number", "list", "--limit", "0", exits=2)
    inventory("number", "list", "--at", "yesterday", exits=2)
    assert "did you mean" in inventory("number", "list", exits=2, INVENTORY_HOEM="/x").stderr
    nobody = "postgresql://inventory:hunter2@127.0.0.1:1/none"
    done = inventory("number", "list", exits=75, INVENTORY_DATABASE_URL=nobody)
    assert "hunter2" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.usefixtures("filled")
def test_a_reader_that_has_had_enough_is_no_error(database: Any) -> None:
    done = subprocess.run(
        f"{sys.executable} -m inventory event list | head -n 1",
        shell=True,
        capture_output=True,
        env=os.environ | {"INVENTORY_DATABASE_URL": database.url},
        check=True,
    )
    assert done.stderr == b""
    assert len(done.stdout.splitlines()) == 1


def test_every_command_has_help_and_every_option_says_what_it_does() -> None:
    seen = 0
    pending: list[click.Command] = [program]
    while pending:
        command = pending.pop()
        seen += 1
        assert command.get_short_help_str(), command.name
        for parameter in command.params:
            if isinstance(parameter, click.Option) and parameter.name not in {
                "event_type",
                "origin",
            }:
                assert parameter.help or parameter.name == "format_", (command.name, parameter.name)
        if isinstance(command, click.Group):
            context = click.Context(command)
            found = [command.get_command(context, name) for name in command.list_commands(context)]
            pending += filter(None, found)
            assert None not in found
    assert seen > 30
