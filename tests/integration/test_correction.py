"""What a person enters by hand: one event, with a reason, of an origin that nothing else has."""

from __future__ import annotations

import ast
import json
import os
import pty
import pwd
import re
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cached_property
from importlib import import_module
from inspect import isclass
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any, NamedTuple

import click
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from psycopg import Connection

import inventory as package
from inventory import event_log, lifecycle
from inventory.cli import inventory as program
from inventory.correction import NothingToCorrect, contradictions, correct
from inventory.database import Database
from inventory.errors import InventoryError
from inventory.event import Attributes, Event, Recorded
from inventory.verification import columns
from tests.conftest import clean_environment
from tests.folds import append, fold
from tests.histories import START, an_event, histories

ACCOUNT = "37439510"
ROOT = Path(package.__file__).parent
CORRECT = ("event", "correct")


class Said(NamedTuple):
    stdout: str
    stderr: str


class Within:
    """The command in our own process, which takes a tenth of the time that a process of its own does."""

    def __init__(self, database: Database) -> None:
        self._environment = {"INVENTORY_DATABASE_URL": database.url}

    def __call__(self, *arguments: str, exits: int = 0) -> Said:
        done = CliRunner().invoke(program, arguments, env=self._environment, standalone_mode=False)
        error, code = done.exception, done.return_value or 0
        if error is not None:
            assert isinstance(error, InventoryError | click.ClickException), repr(error)
            code = getattr(error, "exit_code", 1)
        words = error.format_message() if isinstance(error, click.ClickException) else error or ""
        assert code == exits, (arguments, code, done.output, words)
        return Said(done.stdout, f"{done.stderr}{words}")


@pytest.fixture
def known(database: Database, connection: Connection) -> Within:
    """The command, on an inventory of number 5, which moved, and number 6, which was deleted."""
    append(
        connection,
        ACCOUNT,
        [
            an_event("5", "Created", 0, location="Ceuta", provider_name="InContact"),
            an_event("5", at=100, location="Ceuta", provider_id="7", provider_name="Five9"),
            an_event("6", "Created", 0),
            an_event("6", "Deleted", 50, status=None, phone_number=None, provider_id=None),
        ],
    )
    fold(connection, ACCOUNT)
    return Within(database)


def corrected(it: Within, number: str, *said: str, exits: int = 0) -> str:
    """What is said of a correction, for a reason, without being asked."""
    return it(*CORRECT, number, "--reason", "ticket 4711", "--yes", *said, exits=exits).stderr


def rows(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_correction_is_one_event_shown_at_once_and_verifies_clean(known: Within) -> None:
    said = corrected(known, "+12025550005", "--status", "Pending", "--location", "")
    assert "on:\n  location: Ceuta → none\n  status: Normal → Pending\n" in said
    assert said.endswith("appended=1 position=5\n")
    (now,) = rows(known("number", "show", "5").stdout)
    assert (now["status"], now["location"], now["provider_name"]) == ("Pending", None, "Five9")
    event = json.loads(known("event", "show", "5").stdout)
    assert (event["origin"], event["event_type"]) == ("operator", "Updated")
    envelope = event["payload"]
    assert (envelope["origin"], envelope["reason"]) == ("operator", "ticket 4711")
    assert envelope["operator"] == pwd.getpwuid(os.getuid()).pw_name
    corrected(known, "5", "--deleted", "--by", "Ada Lovelace")
    assert known("number", "show", "5").stdout == ""
    assert known("verify").stdout == ""


def test_its_source_names_the_operator(known: Within, connection: Connection) -> None:
    corrected(known, "5", "--status", "Pending", "--by", "Ada Lovelace")
    sources = connection.execute("SELECT source FROM inventory.seal ORDER BY last_position")
    assert sources.fetchall()[-1] == ("operator:Ada Lovelace",)
    for command in (("number", "explain", "5"), ("replay", "5"), ("replay",)):
        assert "(operator Ada Lovelace: ticket 4711)" in known(*command).stdout


def test_to_say_that_a_number_in_doubt_is_as_it_was_dispels_the_doubt(
    known: Within, connection: Connection
) -> None:
    doubtful = an_event("5", at=200, location="Ceuta", provider_id="7", provider_name="Five9")
    append(connection, ACCOUNT, [doubtful])
    fold(connection, ACCOUNT)

    def unverified_since() -> object:
        (row,) = rows(known("number", "show", "5").stdout)
        return row["unverified_since"]

    since = unverified_since()
    assert since is not None
    said = corrected(known, "5", "--status", "Normal")
    assert "unverified_since: 2026-03-01T00:03:20+00:00 → " in said
    assert unverified_since() is None
    # What was not in doubt yet at the time is so anyway.
    early = (START + timedelta(seconds=150)).isoformat()
    corrected(known, "5", "--status", "Normal", "--at", early, exits=1)
    corrected(known, "5", "--status", "Normal", exits=1)


REFUSED = [
    ("5", ["--status", "Normal"], 1, "found number 5 to be just so"),
    ("6", ["--deleted"], 1, "found number 6 to be just so"),
    ("6", ["--usage-type", "DirectNumber"], 1, "found number 6 to be just so"),
    ("5", ["--status", "X", "--at", "2999-01-01"], 1, "lies after"),
    ("9", ["--phone-number", "+12025550009"], 1, "found no event of '9'"),
    ("9", ["--status", "X", "--account", "1"], 1, "expected the E.164 number of number 9"),
    ("+12025550009", ["--status", "X", "--account", "1"], 1, "found no event of"),
    ("5", ["--phone-number", "202 555"], 2, "expected a number like +12024999741"),
    ("5", [], 2, "say what is so"),
    ("5", ["--status", "X", "--deleted"], 2, "say what is so"),
    ("5", ["--status", "X", "--reason", " "], 2, "expected some text"),
    ("5", ["--status", "X", "--reason", "\x1b[2J"], 2, "printable"),
    ("5", ["--status", "X", "--by", ""], 2, "expected some text"),
]


def test_what_cannot_be_a_correction_is_refused_and_nothing_written(
    known: Within, connection: Connection
) -> None:
    for number, said, exits, why in REFUSED:
        assert why in corrected(known, number, *said, exits=exits)
    assert heads(connection) == {ACCOUNT: 4}


def test_it_takes_a_reason_and_somebody_who_can_be_asked(
    known: Within, connection: Connection
) -> None:
    done = known(*CORRECT, "5", "--status", "X", "--yes", exits=2)
    assert "--reason" in done.stderr
    done = known(*CORRECT, "5", "--status", "X", "--reason", "ticket 4711", exits=2)
    assert "--yes is needed where nobody can be asked" in done.stderr
    assert heads(connection) == {ACCOUNT: 4}


def heads(connection: Connection) -> dict[str, int]:
    found: dict[str, int] = dict(
        connection.execute("SELECT account_id, position FROM inventory.account")
    )
    connection.rollback()
    return found


def test_a_number_that_nobody_heard_of_is_entered_by_its_id(known: Within) -> None:
    new = ["--account", "1", "--phone-number", "+12025550009"]
    assert "it is new:" in corrected(known, "9", *new, "--provider-id", "7")
    (now,) = rows(known("number", "show", "9").stdout)
    assert (now["account_id"], now["phone_number"]) == ("1", "+12025550009")
    assert (now["usage_type"], now["provider_id"]) == ("ContactCenterNumber", "7")


def test_a_number_that_was_deleted_comes_back_as_it_was(known: Within) -> None:
    assert "in Contact Center: no → yes" in corrected(known, "6", "--location", "Ceuta")
    (now,) = rows(known("number", "show", "6").stdout)
    assert (now["phone_number"], now["status"]) == ("+12025550006", "Normal")
    assert (now["location"], now["provider_id"]) == ("Ceuta", "1")


def test_a_provider_does_not_inherit_the_name_of_another(known: Within) -> None:
    said = corrected(known, "5", "--provider-id", "12")
    assert "provider_id: 7 → 12" in said
    assert "provider_name: Five9 → none" in said
    (now,) = rows(known("number", "show", "5").stdout)
    assert (now["provider_id"], now["provider_name"]) == ("12", None)


def test_a_number_of_several_ids_is_not_guessed(known: Within, connection: Connection) -> None:
    append(connection, ACCOUNT, [an_event("8", "Created", 60, phone_number="+12025550006")])
    fold(connection, ACCOUNT)
    said = corrected(known, "+12025550006", "--status", "X", exits=1)
    assert f"names 6 of account {ACCOUNT}, 8 of account {ACCOUNT}" in said
    assert heads(connection) == {ACCOUNT: 5}


def test_a_correction_that_later_events_take_back_says_so(known: Within) -> None:
    said = corrected(known, "5", "--location", "Melilla", "--at", "2026-03-01T00:00:50")
    assert "location: Ceuta → Melilla" in said
    assert "later events of 5 say otherwise from 2026-03-01T00:01:40Z on: location is Ceuta" in said
    versions = rows(known("number", "history", "5").stdout)
    assert [version["location"] for version in versions] == ["Ceuta", "Melilla", "Ceuta"]
    assert "otherwise" not in corrected(known, "5", "--location", "Melilla")
    assert known("verify").stdout == ""


class Terminal:
    """The command on a terminal, where it asks."""

    def __init__(self, database: Database, *arguments: str) -> None:
        environment = clean_environment() | {"INVENTORY_DATABASE_URL": database.url}
        command = [sys.executable, "-m", "inventory", *arguments]
        self._pid, self._terminal = pty.fork()
        if self._pid == 0:
            os.execve(sys.executable, command, environment)

    def until(self, words: str) -> str:
        said = ""
        while words not in said:
            said += os.read(self._terminal, 4096).decode()
        return said

    def answer(self, words: str) -> tuple[int, str]:
        """Exit code, and what is said from here to the end."""
        os.write(self._terminal, words.encode())
        said = b""
        try:
            while more := os.read(self._terminal, 4096):
                said += more
        except OSError:  # how Linux says that nobody has the other end any more
            pass
        os.close(self._terminal)
        _, status = os.waitpid(self._pid, 0)
        return os.waitstatus_to_exitcode(status), said.decode()


def test_on_a_terminal_it_asks_first(
    known: Within, database: Database, connection: Connection
) -> None:
    said = (*CORRECT, "5", "--reason", "ticket 4711", "--status", "Pending")
    asked = Terminal(database, *said)
    assert "status: Normal → Pending" in asked.until("[y/N]")
    code, rest = asked.answer("n\n")
    assert (code, heads(connection)) == (1, {ACCOUNT: 4})
    assert "nothing was written" in rest
    asked = Terminal(database, *said)
    asked.until("[y/N]")
    known("projection", "rebuild")  # which waits for readers
    assert asked.answer("y\n")[0] == 0
    assert heads(connection) == {ACCOUNT: 5}


def test_what_was_not_shown_is_not_corrected(
    known: Within, database: Database, connection: Connection
) -> None:
    assert known  # the inventory it fills
    said = (*CORRECT, "5", "--reason", "ticket 4711", "--status", "Pending")
    asked = Terminal(database, *said)
    asked.until("[y/N]")
    append(connection, ACCOUNT, [an_event("5", "Deleted", 200)])
    code, rest = asked.answer("y\n")
    assert code == 1
    assert "found new events of it" in rest
    assert heads(connection) == {ACCOUNT: 5}


def test_what_claims_to_be_an_operators_is_a_notification(
    database: Database, tmp_path: Path, connection: Connection
) -> None:
    claims = an_event("5", origin="operator").payload.replace("{accountId}", ACCOUNT)
    assert json.loads(claims)["origin"] == "operator"
    (tmp_path / "operator:eve").write_text(claims)
    inventory = Within(database)
    inventory("event", "ingest", str(tmp_path / "operator:eve"))
    assert connection.execute("SELECT origin FROM inventory.event").fetchall() == [
        ("notification",)
    ]
    assert inventory("verify").stdout == ""


NAMED = st.one_of(
    st.none(),
    st.dictionaries(
        st.sampled_from(["status", "location", "provider_id", "usage_type", "phone_number"]),
        st.sampled_from(["Normal", "Pending", "1", "2", "DirectNumber", "ContactCenterNumber"]),
        min_size=1,
    ),
)


@given(history=histories(), named=NAMED, at=st.integers(0, 7))
def test_by_the_law_what_is_named_is_so_from_then_on_and_the_rest_is_as_it_was(
    history: list[Event], named: dict[str, str | None] | None, at: int
) -> None:
    log = [
        Recorded(position, START, event)
        for position, event in enumerate(history, 1)
        if event.phone_number_id == "1"
    ]
    then = START + timedelta(seconds=at)
    before = state(log, then)
    try:
        event, changes = correct(
            log,
            {"phone_number": "+12025550001"} | named if named and before is None else named,
            account_id=ACCOUNT,
            phone_number_id="1",
            at=then,
            latest=datetime.max.replace(tzinfo=UTC),
            operator="ada",
            reason="she knows",
            uuid="fresh",
        )
    except NothingToCorrect:
        named = named or {"usage_type": "DirectNumber"}
        unchanged = before and before._replace(**named)
        assert unchanged == before
        assert doubt(log, then) is None
        return
    position = len(history) + 1
    with_it = [*log, Recorded(position, START, event)]
    after = state(with_it, then)
    assert (after and after.state, doubt(with_it, then)) != (
        before and before.state,
        doubt(log, then),
    )
    assert doubt(with_it, then) is None
    assert changes
    if after is not None and named is not None:
        for field in Attributes._fields:
            if field in named:
                assert getattr(after, field) == named[field]
            elif before is not None and not (field == "provider_name" and "provider_id" in named):
                assert getattr(after, field) == getattr(before, field)
    later = [
        stands(attributes_of(step.after))
        for step in lifecycle.steps(with_it)
        if (step.recorded.event.occurred_at, step.recorded.position) > (then, position)
    ]
    taken_back = {
        name
        for standing in later
        for name in differing(before, after) & standing.keys()
        if standing[name] != stands(after).get(name)
    }
    assert {each.field for each in contradictions(with_it, position)} == taken_back


def state(log: list[Recorded], at: datetime) -> Attributes | None:
    taken = list(lifecycle.steps(entry for entry in log if entry.event.occurred_at <= at))
    return attributes_of(taken[-1].after) if taken else None


def doubt(log: list[Recorded], at: datetime) -> datetime | None:
    taken = list(lifecycle.steps(entry for entry in log if entry.event.occurred_at <= at))
    return taken[-1].after.unverified_since if taken and taken[-1].after else None


def attributes_of(state: lifecycle.State | None) -> Attributes | None:
    return state.attributes if state else None


def stands(attributes: Attributes | None) -> dict[str, str | None]:
    if attributes is None:
        return {"in Contact Center": "no"}
    fields = {k: v for k, v in attributes._asdict().items() if k != "uri"}
    return {"in Contact Center": "yes"} | fields


def differing(before: Attributes | None, after: Attributes | None) -> set[str]:
    return {k for k, v in stands(after).items() if stands(before).get(k) != v}


# What can reach the log, by the code itself: from each command's function to all that it names.

WRITERS = {
    *("event ingest", "event correct", "quarantine retry", "reconcile", "serve", "listen", "demo"),
}


def test_nothing_else_appends() -> None:
    found = {name for name, command in commands(program) if reaches_the_log(command)}
    assert found == WRITERS


def test_what_appends_is_seen_to_append() -> None:
    """The test above bites: a command that appends by whatever detour would be found."""

    def detour() -> None:
        from inventory.ingest import retry  # noqa: F401

    assert reaches_the_log(click.Command("innocent", callback=detour))


def test_an_operators_event_arises_in_one_place() -> None:
    arises, sealed = set(), set()
    for path in ROOT.rglob("*.py"):
        for call in calls(ast.parse(path.read_text(encoding="utf-8"))):
            for keyword in call.keywords:
                words = list(ast.walk(keyword.value))
                texts = [w.value for w in words if isinstance(w, ast.Constant)]
                if keyword.arg == "origin" and "operator" in texts:
                    arises.add((path.stem, ast.unparse(call.func)))
                if keyword.arg == "source" and "operator:" in texts:
                    sealed.add(path.relative_to(ROOT).as_posix())
    assert arises == {("correction", "enveloped"), ("correction", "event._replace")}
    assert sealed == {"cli/correct.py"}
    assert columns.origin_of("operator:ada") == "operator"


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def commands(group: click.Group, *above: str) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, *above, name)
        else:
            yield " ".join((*above, name)), command


def reaches_the_log(command: click.Command) -> bool:
    pending: list[Any] = [command.callback]
    seen: set[int] = set()
    while pending:
        thing = pending.pop()
        if thing is event_log.append:
            return True
        if id(thing) not in seen:
            seen.add(id(thing))
            pending += named_by(thing)
    return False


def named_by(thing: Any) -> Iterator[Any]:
    """What *thing* names that is ours: of a function its globals and imports, of a class all."""
    while (inner := getattr(thing, "__wrapped__", None)) is not None:
        thing = inner
    if isinstance(thing, cached_property):
        thing = thing.func
    if isinstance(thing, property):
        thing = thing.fget
    if isinstance(thing, classmethod | staticmethod):
        thing = thing.__func__
    if isinstance(thing, FunctionType) and ours(thing):
        names = set(names_of(thing.__code__))
        found = [thing.__globals__[name] for name in names if name in thing.__globals__]
        found += [import_module(name) for name in names if re.match(r"inventory\.\w", name)]
        for module in found:
            if isinstance(module, ModuleType) and module.__name__.startswith("inventory"):
                yield from (vars(module)[name] for name in names if name in vars(module))
        yield from (each for each in found if not isinstance(each, ModuleType))
    elif isclass(thing) and ours(thing):
        yield from vars(thing).values()
        yield from thing.__bases__
    elif isinstance(thing, tuple | list):
        yield from thing
    elif isinstance(thing, dict):
        yield from thing.values()


def ours(thing: Callable[..., Any]) -> bool:
    return thing.__module__.startswith(("inventory", "tests"))


def names_of(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from names_of(constant)
