"""The sample histories: the same for the same seed, and full of what happens."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from itertools import islice, pairwise

from inventory import sample
from inventory.event import Event
from inventory.notification import parse

LATEST = datetime(2026, 11, 23, tzinfo=UTC)


def test_the_same_seed_gives_the_same_bytes() -> None:
    assert list(sample.demo_history(3)) == list(sample.demo_history(3))
    assert list(sample.demo_history(3)) != list(sample.demo_history(4))
    assert list(sample.history(events=500, numbers=9)) == list(
        sample.history(events=500, numbers=9)
    )


def test_the_demo_holds_the_documented_notification() -> None:
    payloads = [
        json.loads(item)
        for item in sample.demo_history()
        if item.startswith(b"{") and item.endswith(b"}")
    ]
    assert sample.documented_notification() in payloads


def test_the_demo_holds_everything_that_happens() -> None:
    history = list(sample.demo_history())
    found = [parse(item, latest=LATEST) for item in history]
    events = [item for item in found if isinstance(item, Event)]
    reasons = Counter(item.reason for item in found if not isinstance(item, Event))
    assert len({event.account_id for event in events}) == 3
    assert {event.event_type for event in events} == {"Created", "Updated", "Deleted"}
    names = {
        event.attributes.provider_name for event in events if event.attributes.provider_id == "1"
    }
    assert len(names) == 2
    assert any(event.attributes.provider_id is None for event in events)
    assert any(event.attributes.usage_type == "DirectNumber" for event in events)
    assert len(history) - len(set(history)) >= 20  # repeated, byte for byte
    assert set(reasons) == {
        *("invalid_json", "invalid_notification", "unrelated_event", "unknown_event_type"),
        *("account_mismatch", "timestamp_in_future"),
    }
    spellings = {json.loads(event.payload)["timestamp"][23:] for event in events}
    assert spellings >= {"Z", "+0000", "+00:00", ""}
    times = [event.occurred_at for event in events]
    assert sum(b < a for a, b in pairwise(times)) > 20  # late


def test_every_line_of_bulk_is_an_event() -> None:
    lines = list(sample.history(events=3000, numbers=40, accounts=3, late=0))
    events = [parse(line, latest=LATEST) for line in lines]
    assert all(isinstance(event, Event) for event in events)
    assert len({event.event_uuid for event in events if isinstance(event, Event)}) == 3000
    latest: dict[str, datetime] = {}
    for event in events:
        assert isinstance(event, Event)
        assert event.occurred_at > latest.get(
            event.phone_number_id, event.occurred_at.min.replace(tzinfo=UTC)
        )
        latest[event.phone_number_id] = event.occurred_at


def test_bulk_can_be_late_and_repeated() -> None:
    lines = list(sample.history(events=3000, numbers=40, late=0.2, repeated=0.2))
    assert 2200 < len(set(lines)) < 2600


def test_bulk_is_made_as_it_is_read() -> None:
    assert len(list(islice(sample.history(events=10**10, numbers=5), 3))) == 3
