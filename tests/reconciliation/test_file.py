from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from inventory.reconciliation import (
    EVERYTHING,
    FileSource,
    Reconciled,
    Scope,
    UnreadableList,
    alone,
    draw_up,
    reconcile,
)
from inventory.reconciliation.plan import Plan
from inventory.simulator.platform import Number
from tests.conftest import Command
from tests.reconciliation.conftest import Reconciling, kinds


@pytest.fixture
def held(it: Reconciling) -> list[Number]:
    """Twelve numbers in the inventory, of two providers."""
    numbers = [it.platform.add() for _ in range(10)]
    numbers += [it.platform.add(contactCenterProvider={"id": "7", "name": "G"}) for _ in range(2)]
    it.apply()
    return numbers


class Files:
    """Lists in files, compared with the inventory."""

    def __init__(self, it: Reconciling, folder: Path) -> None:
        self.it = it
        self.folder = folder
        self.made_at: datetime | None = None

    def csv(self, rows: Sequence[dict[str, Any]], delimiter: str = ",") -> Path:
        path = self.folder / "list.csv"
        with path.open("w", encoding="utf-8-sig", newline="") as stream:
            writer = csv.DictWriter(stream, list(rows[0]), delimiter=delimiter)
            writer.writeheader()
            writer.writerows(rows)
        return path

    def ndjson(self, rows: Sequence[object]) -> Path:
        path = self.folder / "list.ndjson"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return path

    def source(self, path: Path, **mapped: str) -> FileSource:
        return FileSource(
            path, self.it.account, mapped=mapped, made_at=self.made_at or datetime.now(UTC)
        )

    def plan(self, path: Path, scope: Scope = EVERYTHING, **mapped: str) -> Plan:
        source = self.source(path, **mapped)
        return draw_up(self.it.connection, source, source.read(), scope=scope, override=None)

    def apply(self, path: Path, **mapped: str) -> Reconciled:
        with alone(self.it.connection, self.it.account):
            done = reconcile(self.it.connection, self.source(path, **mapped), mode="apply")
        self.it.fold()
        return done


@pytest.fixture
def files(it: Reconciling, tmp_path: Path) -> Files:
    return Files(it, tmp_path)


def id_of(number: Number) -> str:
    return str(number["id"])


def carriers(numbers: list[Number]) -> list[dict[str, Any]]:
    """As a carrier would list them: national spelling, words of its own."""
    return [
        {"TN": f"({n['phoneNumber'][2:5]}) {n['phoneNumber'][5:]}", "City": n["location"]}
        for n in numbers
    ]


MAPPED: Any = {"TN": "phone_number", "City": "location"}


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_carriers_list_is_matched_by_its_numbers(
    files: Files, held: list[Number], delimiter: str
) -> None:
    rows = carriers(held[1:])
    rows[0]["City"] = "Denver, CO"
    rows[1]["City"] = ""  # says nothing
    rows.append({"TN": "650-253-0000", "City": "Mountain View, CA"})
    plan = files.plan(files.csv(rows, delimiter), **MAPPED)
    assert kinds(plan) == {
        "different": {id_of(held[1])},
        "added": {"None"},
        "missing": {id_of(held[0])},
    }
    different, *_ = (p for p in plan.findings if p.finding.kind == "different")
    assert different.finding.differences == {"location": ("Washington, DC", "Denver, CO")}
    added, *_ = (p for p in plan.findings if p.finding.kind == "added")
    assert added.finding.phone_number == "+16502530000"
    assert {p.cause for p in plan.findings} == {"out-of-band", None}
    assert (plan.drift, plan.outcome, plan.guards) == (True, "complete", [])


def test_a_list_that_does_not_say_what_numbers_are_for_appends_nothing(
    files: Files, it: Reconciling, held: list[Number]
) -> None:
    events = it.events()
    rows = carriers(held[1:])
    rows[0]["City"] = "Denver, CO"
    done = files.apply(files.csv(rows), **MAPPED)
    assert done.done == {"different": 1, "missing": 1}
    assert it.events() == events
    row = it.row(done.id)
    assert (row["source"], row["outcome"], row["notified"]) == ("file:list.csv", "complete", None)
    assert len(it.held()) == 12


def test_a_list_of_ringcentrals_own_is_a_witness_but_not_of_absence(
    files: Files, it: Reconciling, inventory: Command, held: list[Number]
) -> None:
    new = it.platform.add()
    rows = [dict(number) for number in [*held[2:], new]]
    rows[0]["status"] = "Pending"
    rows[1]["usageType"] = "DirectNumber"
    done = files.apply(files.ndjson(rows))
    assert done.done == {"added": 1, "different": 1, "departed": 1, "missing": 2, "appended": 3}
    assert it.held() == it.there() - {id_of(held[3])}
    status = "SELECT status FROM inventory.contact_center_number WHERE phone_number_id = '{}'"
    assert it.value(status.format(id_of(held[2]))) == "Pending"
    assert files.apply(files.ndjson(rows)).done == {"missing": 2}
    inventory("verify")


def test_what_a_row_does_not_say_stays_as_it_is(
    files: Files, it: Reconciling, held: list[Number]
) -> None:
    row = {"id": held[0]["id"], "usageType": "ContactCenterNumber", "status": "Pending"}
    assert files.apply(files.ndjson([row])).done["appended"] == 1
    query = "SELECT location || provider_id FROM inventory.contact_center_number WHERE status = 'Pending'"
    assert it.value(query) == "Washington, DC1"


def test_our_own_export_agrees_with_the_inventory(
    files: Files, it: Reconciling, inventory: Command, held: list[Number]
) -> None:
    path = files.folder / "numbers.csv"
    inventory("number", "list", "--format", "csv", "-o", str(path))
    with path.open(encoding="utf-8", newline="") as stream:
        assert len(list(csv.DictReader(stream))) == len(held)
    plan = files.plan(path)
    assert plan.findings == []
    text = path.read_text(encoding="utf-8").replace(it.account, "999")
    path.write_text(text, encoding="utf-8")
    assert files.plan(path).reading.rows == 0  # another account's are none of ours


def test_what_happened_after_the_list_was_made_wins(
    files: Files, it: Reconciling, held: list[Number]
) -> None:
    files.made_at = datetime.now(UTC)
    rows = [dict(number) for number in held]
    held[0]["status"] = "Pending"
    it.apply()
    plan = files.plan(files.ndjson(rows))
    assert plan.findings == []
    assert plan.left_alone == 1


def test_many_departures_in_a_list_are_guarded(
    files: Files, it: Reconciling, held: list[Number]
) -> None:
    rows = [{**number, "usageType": "DirectNumber"} for number in held[:6]]
    done = files.apply(files.ndjson(rows))
    assert done.plan.outcome == "refused"
    assert len(it.held()) == 12


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"TN": "1.65026E+10", "City": "x"}, "expected a phone number, found '1.65026E+10'"),
        ({"TN": "", "City": "x"}, "expected an id or a phone number, found neither"),
        ({"TN": "12", "City": "x"}, "expected a phone number, found '12'"),
    ],
)
def test_a_row_that_is_none_is_said_and_the_others_are_compared(
    files: Files, held: list[Number], row: dict[str, str], why: str
) -> None:
    plan = files.plan(files.csv([*carriers(held), row]), **MAPPED)
    assert plan.findings == []
    assert plan.reading.faults == [f"row 13: {why}"]
    assert plan.outcome == "incomplete"


def test_what_is_ambiguous_is_not_judged(files: Files, it: Reconciling, held: list[Number]) -> None:
    held[1]["phoneNumber"] = held[0]["phoneNumber"]  # while porting
    it.apply()
    rows = [*carriers(held), {"TN": held[5]["phoneNumber"], "City": "Denver, CO"}]
    plan = files.plan(files.csv(rows), **MAPPED)
    assert plan.findings == []
    assert len(plan.reading.faults) == 4
    assert "expected one number" in plan.reading.faults[0]
    assert "once, found it 2 times" in plan.reading.faults[-1]


def test_rows_that_are_not_objects_or_have_slipped_are_faults(
    files: Files, held: list[Number]
) -> None:
    path = files.ndjson([dict(number) for number in held])
    with path.open("a", encoding="utf-8") as stream:
        stream.write('[]\n{"id": \n{"id": "x7"}\n' + "[" * 100_000 + "\n")
    assert len(files.plan(path).reading.faults) == 4
    path = files.csv(carriers(held))
    with path.open("a", encoding="utf-8") as stream:
        stream.write("(202) 0010001,Belmont, CA\n")
    assert len(files.plan(path, **MAPPED).reading.faults) == 1


def test_narrowed_to_a_provider_others_are_not_missing(files: Files, held: list[Number]) -> None:
    plan = files.plan(files.csv(carriers(held[11:])), Scope(provider="7"), **MAPPED)
    assert kinds(plan) == {"missing": {id_of(held[10])}}


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("list.xlsx", b"", "ends with .csv or .ndjson"),
        ("list.csv", b"a,b\n1,2\n", "expected a column 'TN'"),
        ("list.csv", b"TN\n\xff\xfe\n", "codec can't decode"),
        ("none/list.csv", None, "No such file"),
    ],
)
def test_a_file_that_holds_no_list_is_a_clear_error(
    files: Files, name: str, content: bytes | None, why: str
) -> None:
    path = files.folder / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UnreadableList, match=why):
        files.plan(path, TN="phone_number")


def test_the_command_compares_with_a_file(
    files: Files, it: Reconciling, inventory: Command, held: list[Number]
) -> None:
    path = str(files.csv(carriers(held)))
    mapped = ["--map", "TN=phone_number", "--map", "City=location"]
    inventory("reconcile", "--source", path, *mapped)
    inventory("reconcile", "--source", path, *mapped, "--provider", "7")
    inventory("reconcile", "--source", path, "--map", "TN=number", exits=2)
    inventory("reconcile", "--source", path, "--map", "TN", exits=2)
    inventory("reconcile", "--source", "nowhere.csv", exits=1)
    inventory("reconcile", "--map", "TN=phone_number", exits=2)
    inventory("reconcile", "--source", path, *mapped, "--apply", exits=2)
    held[0]["location"] = "Denver, CO"
    path = str(files.csv(carriers(held[:-1])))
    done = inventory("reconcile", "--source", path, *mapped, "--format", "table", exits=3)
    assert "location: Washington, DC → Denver, CO" in done.stdout
    assert "not in the file" in done.stdout
    inventory("reconcile", "--source", path, *mapped, "--apply", "--at", "2100-01-01", exits=2)
    now = datetime.now(UTC).isoformat()
    done = inventory("reconcile", "--source", path, *mapped, "--apply", "--at", now)
    assert "appended=0" in done.stderr
    assert it.value("SELECT count(*) FROM inventory.discrepancy WHERE class = 'out-of-band'") == 1
