"""Every read of the API: the same rows as the command line's, page by page and all at once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import product
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from psycopg import Connection

from inventory import event_log, projector, sample, settings, web
from inventory.cli import inventory as program
from inventory.cli.listening import served
from inventory.database import Database
from inventory.event import Event
from inventory.ingest import Intake
from inventory.web.api import READS
from tests.histories import START, an_event, cut, histories
from tests.web.asking import fold, lines, pages, put_aside, take_in, walk

NewAccount = Callable[[], str]
CUTS = st.lists(st.integers(0, 25), min_size=1, max_size=4)
# What tells the rows of each read apart, whatever becomes of them.
ROWS = {
    "/api/v1/numbers": ("account_id", "phone_number_id"),
    "/api/v1/numbers/1/history": ("account_id", "phone_number_id", "valid_from"),
    "/api/v1/changes": ("account_id", "position"),
    "/api/v1/reassignments": ("account_id", "position"),
    "/api/v1/providers": ("account_id", "provider_id"),
    "/api/v1/events": ("account_id", "position"),
}
APART = {"/api/v1/reconciliations": ("id",), "/api/v1/quarantine": ("id",)}


@pytest.fixture(scope="module")
def client(database_of_module: Database) -> Iterator[httpx.Client]:
    app = web.application(database_of_module, settings.load())
    with (
        served(app, http=web.ImpatientProtocol) as url,
        httpx.Client(base_url=url, timeout=30) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def log(database_of_module: Database) -> Iterator[Connection]:
    with database_of_module.connect() as connection:
        yield connection


def test_every_read_is_tested_here() -> None:
    there = {read.path.replace("{id}", "1") for read in READS}
    assert there == {*ROWS, *APART, "/api/v1/numbers/1"}


@hypothesis_settings(max_examples=30)
@given(history=histories(), cuts=CUTS, limit=st.integers(1, 7), late=st.booleans())
def test_a_walk_through_pages_of_any_length_meets_each_row_once_whatever_comes_meanwhile(
    client: httpx.Client,
    log: Connection,
    new_account: NewAccount,
    history: list[Event],
    cuts: list[int],
    limit: int,
    late: bool,
) -> None:
    """Late: the oldest events come last, and most is inserted before the place of the walk."""
    if late:
        history.sort(key=lambda event: event.occurred_at, reverse=True)
    for path, key in ROWS.items():
        account = new_account()
        first, *later = cut(history, cuts)
        take_in(log, account, first)
        if client.get(path, params={"account": account}).status_code == 404:
            continue  # nothing of that number came yet
        whole = lines(client, path, account=account)
        assert walk(client, path, account=account, limit=limit) == whole
        there_all_along = Counter(places(whole, key))
        met: Counter[tuple[Any, ...]] = Counter()

        def meanwhile(
            account: str = account,
            key: tuple[str, ...] = key,
            path: str = path,
            later: list[list[Event]] = later,
            there_all_along: Counter[tuple[Any, ...]] = there_all_along,
        ) -> None:
            if later:
                take_in(log, account, later.pop(0))
                there_all_along &= Counter(places(lines(client, path, account=account), key))

        for page in pages(client, path, meanwhile, account=account, limit=limit):
            met.update(places(page, key))
        assert set(met.values()) <= {1}
        assert there_all_along <= met


def places(rows: list[dict[str, Any]], key: tuple[str, ...]) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in key) for row in rows]


def test_the_provider_that_nobody_named_is_on_the_last_page(
    client: httpx.Client, log: Connection, new_account: NewAccount
) -> None:
    account = new_account()
    providers = ("7", None, "12")
    take_in(log, account, [an_event(str(n), provider_id=each) for n, each in enumerate(providers)])
    for limit in (1, 2, 3):
        rows = walk(client, "/api/v1/providers", account=account, limit=limit)
        assert [row["provider_id"] for row in rows] == ["12", "7", None]


def test_runs_and_quarantine_are_walked_alike(client: httpx.Client, log: Connection) -> None:
    for serial in range(7):
        put_aside(log, f"junk {serial}")
        ask_for_run(log)
    for path, key in APART.items():
        whole = lines(client, path)
        assert len(whole) == len(set(places(whole, key))) == 7
        for limit in (1, 2, 3, 7, 100):
            assert walk(client, path, limit=limit) == whole
    ids = [row["id"] for row in lines(client, "/api/v1/reconciliations")]
    assert ids == sorted(ids, reverse=True)

    def meanwhile() -> None:
        put_aside(log, f"more {next(serials)}")
        ask_for_run(log)

    for path, key in APART.items():
        before = places(lines(client, path), key)
        serials = iter(range(100))
        # Of a log that grows at the end as fast as it is walked, there is no end.
        limit = 2 if path.endswith("reconciliations") else 5
        met = [
            place
            for page in pages(client, path, meanwhile, limit=limit)
            for place in places(page, key)
        ]
        assert len(met) == len(set(met))
        assert set(before) <= set(met)


def ask_for_run(log: Connection) -> None:
    log.execute(
        "INSERT INTO inventory.reconciliation (account_id, source, mode, requested_at)"
        " VALUES ('1', 'ringcentral', 'plan', now())"
    )
    log.commit()


@hypothesis_settings(max_examples=8)
@given(history=histories(), cuts=CUTS, clocks=st.tuples(st.integers(-1, 7), st.integers(0, 4)))
def test_what_the_client_has_is_not_sent_again_and_no_change_is_kept_from_it(
    client: httpx.Client,
    log: Connection,
    new_account: NewAccount,
    history: list[Event],
    cuts: list[int],
    clocks: tuple[int, int],
) -> None:
    account = new_account()
    at = (START + timedelta(seconds=clocks[0])).isoformat()
    seen: dict[tuple[str, str, str], httpx.Response] = {}
    for batch in cut(history, cuts):
        events = [event._replace(account_id=account) for event in batch]
        with log.transaction():
            event_log.append(log, event_log.prepare(events), source="test")
        (known,) = log.execute("SELECT clock_timestamp()").fetchone() or ()
        log.commit()
        for moment in ("appended", "folded"):
            if moment == "folded":
                fold(log, account)
            thens: tuple[dict[str, str], ...] = ({}, {"at": at}, {"known_at": known.isoformat()})
            forms = [*(("application/json", then) for then in thens), ("text/csv", {})]
            for path, (form, then) in product(ROWS, forms):
                asked = {"account": account, **then}
                place = (path, str(then), form)
                seen[place] = follow(client, path, asked, form, seen.get(place))


def follow(
    client: httpx.Client,
    path: str,
    asked: dict[str, str],
    form: str,
    before: httpx.Response | None,
) -> httpx.Response:
    """The answer, which must be the one before if that is what the server says."""
    response = client.get(path, params=asked, headers={"Accept": form})
    if response.status_code == 404:
        assert "etag" not in response.headers
        return response
    tag = response.headers["etag"]
    again = client.get(path, params=asked, headers={"Accept": form, "If-None-Match": tag})
    if again.status_code == 304:
        assert again.content == b""
        assert again.headers["etag"] == tag
    else:
        # The projector was quicker than we were, and this is another answer.
        assert again.headers["etag"] != tag
    if before is not None and before.status_code == 200 and before.headers["etag"] == tag:
        assert before.content == response.content
    return response


@pytest.fixture(scope="module")
def sampled(log: Connection, client: httpx.Client) -> httpx.Client:
    """The demo's history, folded."""
    intake = Intake(
        "test", account_id=sample.DOCUMENTED_ACCOUNT, future_tolerance=timedelta(minutes=5)
    )
    intake.run(log, [list(sample.demo_history())], lambda _: None)
    log.commit()
    for (account,) in log.execute("SELECT account_id FROM inventory.account").fetchall():
        fold(log, account)
    return client


MARCH, APRIL, LATER = "2026-03-01", "2026-04-01T12:00:00Z", "2035-01-01"
NUMBER = sample.DEMO_NUMBER
SAME = [
    ("/numbers", {}, "number list"),
    ("/numbers", {"provider": "7", "status": "Normal"}, "number list --provider 7 --status Normal"),
    ("/numbers", {"at": APRIL}, f"number list --at {APRIL}"),
    ("/numbers", {"at": APRIL, "known_at": MARCH}, f"number list --at {APRIL} --known-at {MARCH}"),
    ("/numbers", {"at": APRIL, "known_at": LATER}, f"number list --at {APRIL} --known-at {LATER}"),
    ("/numbers", {"q": "(202) 499-9741"}, "number show 2024999741"),
    (f"/numbers/{NUMBER}/history", {}, f"number history {NUMBER}"),
    (f"/numbers/{NUMBER}/history", {"at": APRIL}, f"number history {NUMBER} --at {APRIL}"),
    (
        f"/numbers/{NUMBER}/history",
        {"known_at": LATER},
        f"number history {NUMBER} --known-at {LATER}",
    ),
    ("/changes", {}, "change list"),
    (
        "/changes",
        {"since": MARCH, "until": APRIL, "kind": "deleted,reassigned_out"},
        f"change list --since {MARCH} --until {APRIL} --kind deleted --kind reassigned_out",
    ),
    ("/reassignments", {"from_provider": "1"}, "reassignment list --from-provider 1"),
    ("/reassignments", {"to_provider": "7"}, "reassignment list --to-provider 7"),
    ("/events", {"q": NUMBER}, f"event list --number {NUMBER}"),
    (
        "/events",
        {"event_type": "Deleted", "origin": "notification"},
        "event list --type Deleted --origin notification",
    ),
    ("/quarantine", {"all": "true"}, "quarantine list --all"),
    ("/quarantine", {"reason": "invalid_json"}, "quarantine list --reason invalid_json"),
]


@pytest.mark.parametrize(("path", "asked", "command"), SAME)
def test_the_rows_are_those_of_the_command_line(
    sampled: httpx.Client,
    database_of_module: Database,
    path: str,
    asked: dict[str, str],
    command: str,
) -> None:
    arguments = ["--database-url", database_of_module.url, *command.split(" ")]
    done = CliRunner().invoke(program, [*arguments, "--format", "ndjson"])
    assert done.exit_code == 0, done.output
    theirs = [json.loads(line) for line in done.stdout.splitlines()]
    ours = walk(sampled, f"/api/v1{path}", **asked)
    assert sorted(ours, key=str) == sorted(theirs, key=str)
    if "known_at" not in asked or asked["known_at"] == LATER:
        assert theirs


def test_runs_and_quarantine_are_as_they_were(
    client: httpx.Client, log: Connection, new_account: NewAccount
) -> None:
    account = new_account()
    log.execute(
        """
        INSERT INTO inventory.reconciliation
            (account_id, source, mode, requested_at, started_at, finished_at, outcome, seen)
        VALUES
            (%(account)s, 'ringcentral', 'apply', '2026-03-01', '2026-03-03', '2026-03-05',
             'complete', 7)
        """,
        {"account": account},
    )
    (item,) = log.execute(
        """
        INSERT INTO inventory.quarantine
            (received_at, source, reason, detail, payload, resolved_at, resolution)
        VALUES
            ('2026-03-01', 'webhook', 'invalid_json', '', %(it)s, '2026-03-03',
             'discarded: it was nothing')
        RETURNING id
        """,
        {"it": f"resolved {account}".encode()},
    ).fetchone() or (None,)
    log.commit()

    def run(**then: str) -> dict[str, Any] | None:
        rows = lines(client, "/api/v1/reconciliations", account=account, **then)
        return rows[0] if rows else None

    now = run()
    assert now is not None
    assert run(known_at="2026-02-28") is None
    asked = run(known_at="2026-03-02")
    assert asked is not None
    assert (asked["requested_at"], asked["started_at"]) == ("2026-03-01T00:00:00Z", None)
    begun = run(at="2026-03-04", known_at="2035-01-01")
    assert begun is not None
    assert begun["started_at"] == now["started_at"]
    assert (begun["finished_at"], begun["outcome"], begun["seen"]) == (None, None, None)
    assert run(known_at="2026-03-06") == now
    assert run(known_at="2026-03-04", outcome="complete") is None
    assert list(begun) == list(now)

    def is_open(**then: str) -> bool:
        return item in {row["id"] for row in lines(client, "/api/v1/quarantine", **then)}

    assert [is_open(at=f"2026-02-{day}") for day in (27, 28)] == [False, False]
    assert is_open(known_at="2026-03-02")
    assert not is_open(known_at="2026-03-04")
    (row,) = (
        row
        for row in lines(client, "/api/v1/quarantine", all="true", known_at="2026-03-02")
        if row["id"] == item
    )
    assert (row["resolved_at"], row["resolution"]) == (None, None)


def test_one_number_is_the_row_that_the_list_has_of_it(sampled: httpx.Client) -> None:
    for row in walk(sampled, "/api/v1/numbers", account=sample.DOCUMENTED_ACCOUNT):
        path = f"/api/v1/numbers/{row['phone_number_id']}"
        assert sampled.get(path, params={"account": row["account_id"]}).json() == row
    in_other_spelling = sampled.get("/api/v1/numbers/(202) 499-9741")
    assert in_other_spelling.json() == sampled.get("/api/v1/numbers/987654321").json()


def test_a_number_that_left_is_not_there_and_its_history_is(
    client: httpx.Client, log: Connection, new_account: NewAccount
) -> None:
    account = new_account()
    take_in(log, account, [an_event("5", "Created", 0), an_event("5", "Deleted", 5)])
    asked = {"account": account}
    gone = client.get("/api/v1/numbers/5", params=asked)
    assert gone.status_code == 404
    assert "history" in gone.json()["detail"]
    then = {"at": (START + timedelta(seconds=3)).isoformat(), **asked}
    assert client.get("/api/v1/numbers/5", params=then).json()["phone_number_id"] == "5"
    assert len(walk(client, "/api/v1/numbers/5/history", **asked)) == 1
    assert client.get("/api/v1/numbers/6", params=asked).status_code == 404


def test_a_number_that_several_accounts_have_is_asked_for_with_the_account(
    client: httpx.Client, log: Connection, new_account: NewAccount
) -> None:
    accounts = [new_account(), new_account()]
    for account in accounts:
        take_in(log, account, [an_event("7777", "Created")])
    response = client.get("/api/v1/numbers/7777")
    assert response.status_code == 422
    assert [each["account_id"] for each in response.json()["numbers"]] == accounts
    both = walk(client, "/api/v1/numbers/7777/history")
    assert [row["account_id"] for row in both] == accounts


def test_each_filter_leaves_the_rows_that_it_says(sampled: httpx.Client) -> None:
    account = sample.DOCUMENTED_ACCOUNT
    numbers = walk(sampled, "/api/v1/numbers", account=account)

    def found(**asked: str) -> list[str]:
        rows = walk(sampled, "/api/v1/numbers", account=account, **asked)
        return [row["phone_number_id"] for row in rows]

    def ids(keep: Callable[[dict[str, Any]], bool]) -> list[str]:
        return [row["phone_number_id"] for row in numbers if keep(row)]

    since = sorted(row["valid_from"] for row in numbers)[len(numbers) // 2]
    assert found(changed_since=since) == ids(lambda row: row["valid_from"] >= since)
    as_of_now = found(changed_since=since, at=LATER, known_at=LATER)
    assert as_of_now == found(changed_since=since)
    prefix = numbers[0]["phone_number"][:5]
    begins = ids(lambda row: row["phone_number"].startswith(prefix))
    assert (
        found(prefix=prefix) == found(prefix=prefix[1:]) == found(prefix=f" {prefix[1:]}") == begins
    )
    assert found(usage_type="ContactCenterNumber") == ids(lambda _: True)
    assert found(usage_type="DirectNumber") == []
    assert found(q=numbers[3]["phone_number"]) == [numbers[3]["phone_number_id"]]
    assert found(q="nobody's") == []
    assert 0 < len(begins) < len(numbers)


def test_an_event_of_the_future_is_seen_as_of_now_as_in_the_inventory(
    client: httpx.Client, log: Connection, new_account: NewAccount
) -> None:
    """Clocks differ. What is recorded is known, and what its sender says has happened has."""
    account = new_account()
    (seconds,) = log.execute("SELECT extract(epoch FROM now())::int").fetchone() or ()
    log.rollback()
    at = seconds - int(START.timestamp()) + 200
    take_in(log, account, [an_event("1", "Updated", at)])
    known_at = {"known_at": (START + timedelta(seconds=at + 100)).isoformat()}
    for path in ROWS:
        now = lines(client, path, account=account)
        assert len(now) == 1
        then = lines(client, path, account=account, **known_at)
        assert [row.items() <= now[0].items() for row in then] == [True]


@pytest.mark.parametrize("path", ROWS)
def test_an_unchanged_answer_costs_no_query_for_its_rows(
    client: httpx.Client, log: Connection, path: str, new_account: NewAccount
) -> None:
    account = new_account()
    take_in(log, account, [an_event("1", "Created")])
    asked = {"account": account}
    tag = client.get(path, params=asked).headers["etag"]
    hidden = ("contact_center_number", "contact_center_number_version", "event", "change")
    tables = ", ".join(f"inventory.{table}" for table in (*hidden, "provider"))
    log.execute(f"REVOKE SELECT ON {tables} FROM inventory_reader")
    log.commit()
    try:
        for spelled in (tag, f'"x", W/{tag}', "*"):
            unchanged = client.get(path, params=asked, headers={"If-None-Match": spelled})
            assert unchanged.status_code == 304
        other = client.get(path, params=asked, headers={"If-None-Match": '"x"'})
        assert other.status_code == 500
        assert other.headers["content-type"] == "application/problem+json"
    finally:
        log.execute(f"GRANT SELECT ON {tables} TO inventory_reader")
        log.commit()


def test_the_tag_of_what_a_fold_does_not_decide_is_made_of_the_rows(
    client: httpx.Client, log: Connection
) -> None:
    put_aside(log, "once")
    first = client.get("/api/v1/quarantine", params={"limit": 1000})
    tag = {"If-None-Match": first.headers["etag"]}
    assert client.get("/api/v1/quarantine", params={"limit": 1000}, headers=tag).status_code == 304
    put_aside(log, "once")
    again = client.get("/api/v1/quarantine", params={"limit": 1000}, headers=tag)
    assert again.status_code == 200
    assert again.json()["rows"][-1]["arrivals"] == 2


def test_a_rebuild_moves_every_tag(
    client: httpx.Client, log: Connection, new_account: NewAccount
) -> None:
    account = new_account()
    take_in(log, account, [an_event("1", "Created")])
    asked = {"account": account}
    tag = client.get("/api/v1/numbers", params=asked).headers["etag"]
    with log.transaction():
        projector.rebuild(log)
    assert client.get("/api/v1/numbers", params=asked).headers["etag"] != tag
