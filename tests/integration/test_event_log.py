"""Appending: dense, in commit order, once, sealed; also when writers meet, fail and die."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256

import psycopg
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from psycopg import Connection

from inventory import event_log
from inventory.database import Database
from inventory.event import Event
from inventory.notification import parse
from tests import folds
from tests.histories import an_event
from tests.waiting import until

GAPS = """
SELECT account_id
FROM inventory.account
LEFT JOIN inventory.event USING (account_id)
GROUP BY account_id, account.position
HAVING count(event.position) <> account.position
    OR coalesce(max(event.position), 0) <> account.position
"""

# The chain, recomputed in SQL from the payloads, as an auditor would.
FORKS = """
WITH link AS (
    SELECT
        seal.*,
        lag(seal.hash, 1, sha256(convert_to(account_id, 'UTF8'))) OVER log AS expected_previous,
        lag(seal.last_position, 1, 0::bigint) OVER log + 1 AS expected_first,
        (
            SELECT sha256(string_agg(sha256(convert_to(payload::text, 'UTF8')), '' ORDER BY position))
            FROM inventory.event
            WHERE event.account_id = seal.account_id
              AND event.position BETWEEN seal.first_position AND seal.last_position
        ) AS expected_events
    FROM inventory.seal
    WINDOW log AS (PARTITION BY account_id ORDER BY last_position)
)
SELECT account_id, last_position
FROM link
WHERE previous_hash <> expected_previous
   OR first_position <> expected_first
   OR events_hash <> expected_events
   OR hash <> sha256(
        previous_hash || int8send(first_position) || int8send(last_position)
        || int8send((extract(epoch FROM sealed_at) * 1000000)::bigint) || events_hash
        || convert_to(source, 'UTF8')
   )
"""

UNSEALED = """
SELECT account_id, position
FROM inventory.event
LEFT JOIN inventory.seal USING (account_id)
WHERE position BETWEEN first_position AND last_position
  AND recorded_at <> sealed_at
"""


def assert_whole(connection: Connection) -> None:
    """No gap, no fork, no event out of its seal."""
    for query in (GAPS, FORKS, UNSEALED):
        assert connection.execute(query).fetchall() == []
    heads = connection.execute(
        "SELECT account.head_hash = seal.hash FROM inventory.account JOIN inventory.seal"
        " ON seal.account_id = account.account_id AND seal.last_position = account.position"
    ).fetchall()
    assert all(same for (same,) in heads)
    connection.rollback()


def append(connection: Connection, *events: Event) -> event_log.Appended:
    with connection.transaction():
        return event_log.append(connection, event_log.prepare(events), source="test")


def test_positions_are_dense_per_account(connection: Connection) -> None:
    for at in range(3):
        append(connection, *(an_event(str(n), at=at, account=str(n % 2)) for n in range(4)))
    rows = connection.execute(
        "SELECT account_id, array_agg(position ORDER BY position) FROM inventory.event"
        " GROUP BY account_id ORDER BY account_id"
    ).fetchall()
    assert rows == [("0", [1, 2, 3, 4, 5, 6]), ("1", [1, 2, 3, 4, 5, 6])]
    assert_whole(connection)


def test_a_late_repeat_is_a_duplicate(connection: Connection) -> None:
    first, *others = (an_event(str(n)) for n in range(5))
    assert append(connection, first).appended == 1
    assert append(connection, *others).appended == 4
    again = append(connection, first)
    assert (again.appended, again.duplicates, again.conflicts) == (0, 1, [])
    assert_whole(connection)


def test_a_repeat_within_a_batch_is_a_duplicate(connection: Connection) -> None:
    event = an_event("7")
    outcome = append(connection, event, an_event("8"), event)
    assert (outcome.appended, outcome.duplicates) == (2, 1)
    assert_whole(connection)


def test_the_same_key_with_other_content_is_a_conflict(connection: Connection) -> None:
    event = an_event("7", uuid="1", status="Normal")
    other = an_event("7", uuid="1", status="Pending")
    assert append(connection, event, other).conflicts[0].event is other
    outcome = append(connection, other, an_event("8"))
    assert outcome.appended == 1
    assert outcome.conflicts[0].event is other
    assert outcome.conflicts[0].payload_sha256 == event.payload_sha256
    assert_whole(connection)


def test_the_same_content_spelled_otherwise_is_a_duplicate(connection: Connection) -> None:
    event = an_event("7")
    payload = json.dumps(json.loads(event.payload), indent=2, sort_keys=True)
    respelled = event._replace(payload=payload, payload_sha256=sha256(payload.encode()).digest())
    append(connection, event)
    assert append(connection, respelled).duplicates == 1
    assert append(connection, an_event("8"), event, respelled).duplicates == 2


def test_one_uuid_may_speak_of_two_numbers(connection: Connection) -> None:
    assert append(connection, an_event("7", uuid="1"), an_event("8", uuid="1")).appended == 2


def test_nothing_new_leaves_no_seal(connection: Connection) -> None:
    event = an_event("7")
    append(connection, event)
    append(connection, event)
    assert connection.execute("SELECT count(*) FROM inventory.seal").fetchone() == (1,)


def test_recorded_at_never_falls_even_if_the_clock_does(connection: Connection) -> None:
    append(connection, an_event("7"))
    connection.execute("UPDATE inventory.account SET recorded_at = now() + interval '1 hour'")
    connection.commit()
    append(connection, an_event("8"))
    rows = connection.execute("SELECT recorded_at FROM inventory.event ORDER BY position")
    (first,), (second,) = rows.fetchall()
    assert (second - first).total_seconds() > 3000


TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)


@hypothesis_settings(max_examples=150)
@given(
    location=TEXT,
    provider=TEXT,
    extra=st.recursive(TEXT | st.integers(), st.lists),
    indent=st.sampled_from([None, 1]),
    ascii_=st.booleans(),
)
def test_payloads_and_attributes_come_back_byte_for_byte(
    shared_database: Database,
    new_account: Callable[[], str],
    location: str,
    provider: str,
    extra: object,
    indent: int | None,
    ascii_: bool,
) -> None:
    account = new_account()
    payload = json.dumps(
        {
            "uuid": "1",
            "event": f"/restapi/v1.0/account/{account}/phone-number",
            "timestamp": "2026-01-01T00:00:00Z",
            "body": {
                "eventType": "Created",
                "phoneNumberInfo": {
                    "id": "7",
                    "location": location,
                    "contactCenterProvider": {"id": provider},
                },
            },
            "extra": extra,
        },
        indent=indent,
        ensure_ascii=ascii_,
    ).encode()
    event = parse(payload, latest=datetime.now(UTC))
    assert isinstance(event, Event)
    with shared_database.connect() as connection:
        append(connection, event)
        row = connection.execute(
            "SELECT payload::text, location, provider_id, payload_sha256"
            " FROM inventory.event WHERE account_id = %s",
            [account],
        ).fetchone()
    assert row == (payload.decode(), location, provider, sha256(payload).digest())


def _write(url: str, writer: int, batches: int) -> None:
    """Append batches to two accounts; some are rolled back, some told to the parent's kill."""
    chance = random.Random(writer)
    with psycopg.connect(url) as connection:
        for batch in range(batches):
            events = [
                an_event(str(n), at=batch, account=str(n % 2 + 1), uuid=f"{writer}-{batch}-{n}")
                for n in range(chance.randrange(1, 8))
            ]
            event_log.append(connection, event_log.prepare(events), source="test")
            if chance.random() < 0.2:
                connection.rollback()
            else:
                connection.commit()


def test_eight_writers_with_rollbacks_and_kills_leave_no_gap_no_fork_and_skip_no_reader(
    database: Database,
) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write, args=(database.url, n, 40)) for n in range(8)]
    stop = threading.Event()
    seen: dict[str, list[int]] = {"1": [], "2": []}

    def follow() -> None:
        """Remember a position, and ask for what came after it: the reader that must not skip."""
        with database.connect(autocommit=True) as connection:
            last = False
            while not last:
                last = stop.is_set()
                for account, positions in seen.items():
                    rows = connection.execute(
                        "SELECT position FROM inventory.event"
                        " WHERE account_id = %s AND position > %s ORDER BY position",
                        [account, positions[-1] if positions else 0],
                    )
                    positions += [position for (position,) in rows]

    reader = threading.Thread(target=follow)
    reader.start()
    for writer in writers:
        writer.start()
    with database.connect(autocommit=True) as connection:
        # Two die in the middle of whatever they are at; two more lose their connection.
        until(lambda: _events(connection) >= 40)
        for victim in writers[:2]:
            assert victim.pid is not None
            os.kill(victim.pid, signal.SIGKILL)
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = '' LIMIT 2"
        )
        for writer in writers:
            writer.join()
        stop.set()
        reader.join()
        assert_whole(connection)
        for account, positions in seen.items():
            head = connection.execute(
                "SELECT position FROM inventory.account WHERE account_id = %s", [account]
            ).fetchone()
            assert head is not None
            assert positions == list(range(1, head[0] + 1))
        assert sum(map(len, seen.values())) > 100


def _events(connection: Connection) -> int:
    row = connection.execute("SELECT count(*) FROM inventory.event").fetchone()
    return row[0] if row else 0


def test_a_reader_of_a_plain_sequence_is_caught_skipping(database: Database) -> None:
    """The control: the same reader on a log without the lock loses what committed late."""
    with (
        database.connect(autocommit=True) as reader,
        database.connect() as slow,
        database.connect() as quick,
    ):
        reader.execute("CREATE TABLE naive (position bigserial PRIMARY KEY, event text)")
        slow.execute("INSERT INTO naive (event) VALUES ('first')")
        quick.execute("INSERT INTO naive (event) VALUES ('second')")
        quick.commit()
        seen: list[str] = []
        last = 0
        for late in (False, True):
            if late:
                slow.commit()
            rows = reader.execute(
                "SELECT position, event FROM naive WHERE position > %s ORDER BY position", [last]
            ).fetchall()
            seen += [event for _, event in rows]
            last = max([last, *(position for position, _ in rows)])
        assert seen == ["second"]


def test_the_same_race_on_the_log_makes_the_second_writer_wait(database: Database) -> None:
    with (
        database.connect(autocommit=True) as reader,
        database.connect() as slow,
        database.connect() as quick,
    ):
        append(slow, an_event("6"))
        batch = event_log.prepare([an_event("7", uuid="slow")])
        event_log.append(slow, batch, source="test")
        done = threading.Thread(target=append, args=(quick, an_event("8", uuid="quick")))
        done.start()
        until(
            lambda: reader.execute(
                "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND pid = %s",
                [quick.info.backend_pid],
            ).fetchone()
        )
        slow.commit()
        done.join()
        rows = reader.execute("SELECT event_uuid FROM inventory.event ORDER BY position OFFSET 1")
        assert rows.fetchall() == [("slow",), ("quick",)]
        assert_whole(reader)


def test_writers_of_several_accounts_do_not_deadlock(database: Database) -> None:
    def write(order: int) -> None:
        with database.connect() as connection:
            for at in range(25):
                accounts = ["1", "2", "3"][:: 1 if order else -1]
                append(connection, *(an_event("7", at=at, account=a) for a in accounts))

    threads = [threading.Thread(target=write, args=(order,)) for order in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.connect() as connection:
        assert_whole(connection)
        folds.fold(connection, "1")
        assert connection.execute("SELECT sum(position) FROM inventory.account").fetchone() == (
            150,
        )


def test_tampering_breaks_the_chain(connection: Connection) -> None:
    append(connection, an_event("7"), an_event("8"))
    append(connection, an_event("9"))
    connection.execute("ALTER TABLE inventory.event DISABLE TRIGGER ALL")
    connection.execute("""UPDATE inventory.event SET payload = '{"x": 1}' WHERE position = 1""")
    assert connection.execute(FORKS).fetchall() == [("37439510", 2)]


def test_where_events_came_from_is_sealed_with_them(connection: Connection) -> None:
    append(connection, an_event("7"))
    assert connection.execute("SELECT source FROM inventory.seal").fetchall() == [("test",)]
    connection.execute("ALTER TABLE inventory.seal DISABLE TRIGGER ALL")
    connection.execute("UPDATE inventory.seal SET source = 'webhook'")
    assert connection.execute(FORKS).fetchall() == [("37439510", 1)]
