"""The cookbook's questions, asked by somebody who may only read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from psycopg import Connection

from inventory.database import Database
from tests.docs.reading import Question, questions, read

QUESTIONS = questions(read("docs/cookbook.md"))


@pytest.fixture
def reader(lived: Database) -> Iterator[Connection]:
    with lived.connect_reading() as connection:
        yield connection


def answer(reader: Connection, start: str) -> list[Any]:
    """What the question that begins so is answered."""
    (query,) = (question.sql for question in QUESTIONS if question.text.startswith(start))
    return reader.execute(query.encode()).fetchall()


def test_there_are_many() -> None:
    assert len({question.text for question in QUESTIONS}) == len(QUESTIONS) >= 30


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.text)
def test_every_question_has_an_answer(reader: Connection, question: Question) -> None:
    assert reader.execute(question.sql.encode()).fetchall()


def test_the_months_ends_are_the_inventory_as_of_them(reader: Connection) -> None:
    found: dict[Any, Counter[Any]] = {}
    for day, account, provider, numbers in answer(reader, "How many numbers did each provider"):
        found.setdefault(day, Counter())[account, provider] = numbers
    assert len(found) == 8
    for day, numbers in found.items():
        then = "SELECT account_id, provider_id FROM inventory.number_as_of(%s::timestamptz)"
        assert numbers == Counter(reader.execute(then, [day]).fetchall())


def test_the_numbers_grow_to_those_that_are_there(reader: Connection) -> None:
    grown = [row[-1] for row in answer(reader, "How has the number of numbers grown")]
    assert min(grown) >= 0
    now = "SELECT count(*) FROM inventory.contact_center_number WHERE account_id = '37439510'"
    assert [(grown[-1],)] == reader.execute(now).fetchall()


def test_what_was_won_and_lost_leads_from_one_day_to_the_other(reader: Connection) -> None:
    rows = answer(reader, "How did each provider get")
    assert all(before + won - lost == after for _, before, won, lost, after in rows)
    moved = answer(reader, "Which numbers were there at one of two times")
    came = Counter(what for _, _, what in moved)
    assert sum(row[4] - row[1] for row in rows) == came["came"] - came["left"]


def test_what_differs_between_two_times_is_what_makes_them_equal(reader: Connection) -> None:
    def then(day: str) -> dict[Any, dict[str, Any]]:
        query = (
            "SELECT account_id, phone_number_id, to_jsonb(t) FROM inventory.number_as_of(%s) AS t"
        )
        return {row[:2]: row[2] for row in reader.execute(query, [day]).fetchall()}

    before, after = then("2026-04-01"), then("2026-07-01")
    for account, id_, field, was, became in answer(reader, "What is different between two times"):
        assert before[account, id_][field] == was
        before[account, id_][field] = became
    both = before.keys() & after.keys()
    assert len(both) > 30
    assert [key for key in both if before[key] != after[key]] == []


def test_number_days_are_the_seconds_that_versions_were_true(reader: Connection) -> None:
    begins, ends = datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
    query = (
        "SELECT valid_from, coalesce(valid_to, 'now') FROM inventory.contact_center_number_version"
    )
    lasted = timedelta(0)
    for since, until in reader.execute(query):
        lasted += max(min(until, ends) - max(since, begins), timedelta(0))
    rows = answer(reader, "What is to be paid for?")
    assert abs(float(sum(row[-1] for row in rows)) - lasted / timedelta(days=1)) < 0.005 * len(rows)


def test_a_gap_ends_in_a_version_and_meets_none(reader: Connection) -> None:
    meeting = """
        SELECT count(*) FILTER (WHERE tstzrange(valid_from, valid_to) && tstzrange(%(since)s, %(until)s)),
            count(*) FILTER (WHERE valid_from = %(until)s), count(*) FILTER (WHERE valid_to = %(since)s)
        FROM inventory.contact_center_number_version
        WHERE account_id = %(account)s AND phone_number = %(number)s
    """
    gaps = answer(reader, "When had an E.164 number no place")
    for account, number, since, until in gaps:
        given = {"account": account, "number": number, "since": since, "until": until}
        ((during, begin, end),) = reader.execute(meeting, given).fetchall()
        assert during == 0
        assert begin >= 1 <= end


def test_stays_in_a_status_are_as_many_as_its_changes(reader: Connection) -> None:
    """A walk along each stay, version by version."""
    query = """
        SELECT account_id, phone_number_id, entered_at, status
        FROM inventory.contact_center_number_version
        ORDER BY account_id, phone_number_id, valid_from
    """
    runs: Counter[Any] = Counter()
    previous: Any = None
    for row in reader.execute(query):
        runs[row[3]] += row != previous
        previous = row
    rows = answer(reader, "How long do numbers stay in a status")
    assert {row[0]: row[1] + row[2] for row in rows} == runs
