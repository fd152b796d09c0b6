"""
The ledger against the database, and the database against itself, by SQL written for this alone.

Nothing here is imported from the product: `inventory verify` is run beside it and has to agree.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

import psycopg
from psycopg import Connection

from tests.torture.ledger import Ledger
from tests.torture.notifications import Item, Key

NAMED = 3
"""Findings of one kind that are named; the others are counted."""

# A broken index must not hide what is in the table.
READ_TABLES = """
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;
SET LOCAL enable_indexscan = off;
SET LOCAL enable_indexonlyscan = off;
SET LOCAL enable_bitmapscan = off
"""

DURABLE = """
SELECT name || ' is ' || setting
FROM pg_settings
WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit') AND setting <> 'on'
"""

DENSE = """
SELECT format(
    'account %s: head %s, %s events at %s positions, %s to %s', account_id, account.position,
    count(event.position), count(DISTINCT event.position), min(event.position), max(event.position)
)
FROM inventory.account
FULL JOIN inventory.event USING (account_id)
GROUP BY account_id, account.position
HAVING count(event.position) IS DISTINCT FROM account.position
    OR count(DISTINCT event.position) IS DISTINCT FROM account.position
    OR (account.position > 0 AND (min(event.position) <> 1 OR max(event.position) <> account.position))
"""

ONCE = """
SELECT format('account %s, number %s, uuid %s: %s times', account_id, phone_number_id, event_uuid, count(*))
FROM inventory.event
GROUP BY account_id, phone_number_id, event_uuid
HAVING count(*) > 1
"""

IN_TIME = """
SELECT format('account %s, position %s: recorded before the one before', account_id, position)
FROM (
    SELECT account_id, position, recorded_at < lag(recorded_at) OVER (
        PARTITION BY account_id ORDER BY position
    ) AS before
    FROM inventory.event
) AS event
WHERE before
"""

UNALTERED = """
SELECT format('account %s, position %s: not the payload that was hashed', account_id, position)
FROM inventory.event
WHERE payload_sha256 <> sha256(convert_to(payload::text, 'UTF8'))
"""

# The seal over an event is the first that does not end before it.
SEALED = """
WITH place AS (
    SELECT account_id, position, sha256(convert_to(payload::text, 'UTF8')) AS payload_hash, recorded_at,
        NULL::bigint AS last_position
    FROM inventory.event
    UNION ALL
    SELECT account_id, last_position, NULL, NULL, last_position
    FROM inventory.seal
), under AS (
    SELECT account_id, position, payload_hash, recorded_at, min(last_position) OVER (
        PARTITION BY account_id ORDER BY position DESC, last_position NULLS LAST
    ) AS last_position
    FROM place
), batch AS (
    SELECT account_id, last_position, count(*) AS events, min(position) AS first_position,
        min(recorded_at) AS earliest, max(recorded_at) AS latest,
        sha256(string_agg(payload_hash, ''::bytea ORDER BY position)) AS events_hash
    FROM under
    WHERE payload_hash IS NOT NULL
    GROUP BY account_id, last_position
), link AS (
    SELECT *, lag(last_position, 1, 0::bigint) OVER chain AS before,
        lag(hash, 1, sha256(convert_to(account_id, 'UTF8'))) OVER chain AS hash_before,
        lead(last_position) OVER chain IS NULL AS is_last
    FROM inventory.seal
    WINDOW chain AS (PARTITION BY account_id ORDER BY last_position)
)
SELECT format('account %s, up to position %s: the seal is broken', account_id, last_position)
FROM link
FULL JOIN batch USING (account_id, last_position)
LEFT JOIN inventory.account USING (account_id)
WHERE link.first_position IS DISTINCT FROM link.before + 1
    OR batch.first_position IS DISTINCT FROM link.first_position
    OR batch.events IS DISTINCT FROM last_position - link.first_position + 1
    OR batch.earliest IS DISTINCT FROM link.sealed_at
    OR batch.latest IS DISTINCT FROM link.sealed_at
    OR link.previous_hash IS DISTINCT FROM link.hash_before
    OR link.events_hash IS DISTINCT FROM batch.events_hash
    OR link.hash IS DISTINCT FROM sha256(
        link.hash_before || int8send(link.first_position) || int8send(last_position)
        || int8send((extract(epoch FROM link.sealed_at) * 1000000)::bigint)
        || batch.events_hash || convert_to(link.source, 'UTF8')
    )
    OR (link.is_last AND link.hash IS DISTINCT FROM account.head_hash)
"""

FOLDED = """
SELECT format('account %s: folded up to %s of %s', account_id, checkpoint.position, account.position)
FROM inventory.account
FULL JOIN inventory.projection_checkpoint AS checkpoint USING (account_id)
WHERE account.position IS DISTINCT FROM checkpoint.position
"""

# The law, once more: islands of equal state in the order of what happened.
EXPECTED_VERSIONS = """
WITH told AS (
    SELECT event.*, event_type <> 'Deleted'
        AND coalesce(usage_type, 'ContactCenterNumber') = 'ContactCenterNumber' AS inside,
        ROW(phone_number, payment_type, location, number_type, usage_type, status, provider_id,
            provider_name)::text AS attributes
    FROM inventory.event
    JOIN inventory.projection_checkpoint AS checkpoint USING (account_id)
    WHERE event.position <= checkpoint.position
), edge AS (
    SELECT *, inside IS DISTINCT FROM lag(inside) OVER life
        OR (inside AND attributes <> lag(attributes) OVER life) AS is_edge
    FROM told
    WINDOW life AS (PARTITION BY account_id, phone_number_id ORDER BY occurred_at, position)
), island AS (
    SELECT account_id, phone_number_id, occurred_at, inside, attributes, count(*) FILTER (WHERE is_edge)
        OVER (PARTITION BY account_id, phone_number_id ORDER BY occurred_at, position) AS nth
    FROM edge
), span AS (
    SELECT account_id, phone_number_id, nth, bool_and(inside) AS inside, min(occurred_at) AS valid_from,
        min(attributes) AS attributes
    FROM island
    GROUP BY account_id, phone_number_id, nth
), expected AS (
    SELECT *, lead(valid_from) OVER (PARTITION BY account_id, phone_number_id ORDER BY nth) AS valid_to
    FROM span
)
SELECT account_id, phone_number_id, valid_from, valid_to, attributes
FROM expected
WHERE inside AND valid_from IS DISTINCT FROM valid_to
"""

ATTRIBUTES = """ROW(phone_number, payment_type, location, number_type, usage_type, status, provider_id,
    provider_name)::text"""

FOUND_VERSIONS = f"""
SELECT account_id, phone_number_id, valid_from, valid_to, {ATTRIBUTES} AS attributes
FROM inventory.contact_center_number_version
"""

EXPECTED_NUMBERS = f"""
SELECT account_id, phone_number_id, valid_from, attributes, (
    SELECT event.position
    FROM inventory.event
    WHERE (event.account_id, event.phone_number_id) = (expected.account_id, expected.phone_number_id)
    ORDER BY occurred_at DESC, event.position DESC
    LIMIT 1
) AS last_position
FROM ({EXPECTED_VERSIONS}) AS expected
WHERE valid_to IS NULL
"""

FOUND_NUMBERS = f"""
SELECT account_id, phone_number_id, valid_from, {ATTRIBUTES} AS attributes, last_position
FROM inventory.contact_center_number
"""

DIFFERENT = """
WITH expected AS MATERIALIZED ({expected}), found AS MATERIALIZED ({found})
(SELECT 'expected ' || expected::text FROM (TABLE expected EXCEPT ALL TABLE found) AS expected)
UNION ALL
(SELECT 'found ' || found::text FROM (TABLE found EXCEPT ALL TABLE expected) AS found)
"""

INDEXES = """
SELECT pg_class.oid::regclass::text AS name, bt_index_check(pg_class.oid, heapallindexed => true)
FROM pg_class
JOIN pg_am ON pg_am.oid = pg_class.relam
WHERE pg_class.relnamespace = 'inventory'::regnamespace AND relkind = 'i' AND amname = 'btree'
"""

HEAPS = """
SELECT format('%s, block %s: %s', pg_class.oid::regclass, blkno, msg)
FROM pg_class
CROSS JOIN LATERAL verify_heapam(pg_class.oid)
WHERE pg_class.relnamespace = 'inventory'::regnamespace AND relkind IN ('r', 'm')
"""

WITHOUT_INDEXES = {
    "not durable": DURABLE,
    "positions are not dense": DENSE,
    "twice in the log": ONCE,
    "recorded backwards": IN_TIME,
    "altered": UNALTERED,
    "the chain is broken": SEALED,
    "not folded": FOLDED,
    "versions": DIFFERENT.format(expected=EXPECTED_VERSIONS, found=FOUND_VERSIONS),
}
WITH_INDEXES = {
    "numbers": DIFFERENT.format(expected=EXPECTED_NUMBERS, found=FOUND_NUMBERS),
}


class Checked(NamedTuple):
    """What was held against each other, and what did not agree."""

    events: int
    quarantined: int
    acknowledged: int
    """Different notifications; each was found."""
    unacknowledged: int
    """Sent and not acknowledged; in the log, in quarantine, or neither."""
    findings: list[str]


def check(connection: Connection, ledger: Ledger) -> Checked:
    """
    Hold *ledger* against the database, and the database against itself, as of one moment.

    Assumes that the projection is at the head of the log, and that nobody appends.
    """
    findings: list[str] = []
    with connection.transaction():
        connection.execute(READ_TABLES)
        for what, query in WITHOUT_INDEXES.items():
            findings += _named(what, (row[0] for row in connection.execute(query)))
        log, quarantine = _read_log(connection), _read_quarantine(connection)
    with connection.transaction():
        for what, query in WITH_INDEXES.items():
            findings += _named(what, (row[0] for row in connection.execute(query)))
    findings += _named("corrupt", _corruption(connection))
    findings += _named("out of nowhere", _out_of_nowhere(ledger, log, quarantine))
    findings += _named("acknowledged and lost", _lost(ledger, log, quarantine))
    findings += _named("in the wrong place", _misplaced(ledger, log, quarantine))
    return Checked(
        sum(map(len, log.values())),
        len(quarantine),
        len(ledger.acknowledged),
        len(ledger.sent) - len(ledger.acknowledged),
        findings,
    )


Log = dict[Key, list[bytes]]
"""The payloads in the log, by what identifies an event; more than one is one too many."""
Quarantine = dict[bytes, set[str]]
"""The reasons that payloads are in quarantine for."""


def _read_log(connection: Connection) -> Log:
    log: Log = defaultdict(list)
    with connection.cursor(name="log") as cursor:
        cursor.execute(
            "SELECT account_id, phone_number_id, event_uuid, payload::text FROM inventory.event"
        )
        for account_id, number, uuid, payload in cursor:
            log[account_id, number, uuid].append(payload.encode())
    return log


def _read_quarantine(connection: Connection) -> Quarantine:
    quarantine: Quarantine = defaultdict(set)
    for payload, reason in connection.execute("SELECT payload, reason FROM inventory.quarantine"):
        quarantine[payload].add(reason)
    return quarantine


def _out_of_nowhere(ledger: Ledger, log: Log, quarantine: Quarantine) -> Iterator[str]:
    for key, payloads in log.items():
        for payload in payloads:
            item = ledger.sent.get(payload)
            if item is None or item.key != key:
                yield f"{key} is in the log, and nobody sent it"
    for payload in quarantine:
        if payload not in ledger.sent:
            yield f"{payload[:80]!r} is in quarantine, and nobody sent it"


def _lost(ledger: Ledger, log: Log, quarantine: Quarantine) -> Iterator[str]:
    rivals: Log = defaultdict(list)
    for payload, reasons in quarantine.items():
        item = ledger.sent.get(payload)
        if item is not None and item.key is not None and "uuid_conflict" in reasons:
            rivals[item.key].append(payload)
    for payload in ledger.acknowledged:
        item = ledger.sent[payload]
        if item.key is None:
            if item.reason not in quarantine.get(payload, ()):
                yield f"{payload[:80]!r}, which belongs into quarantine as {item.reason}"
        elif item.key not in log:
            yield f"{item.key}"
        elif not _says(item, log[item.key]) and not _says(item, rivals[item.key]):
            yield f"{item.key}, whose uuid is another's, and it is not in quarantine"


def _misplaced(ledger: Ledger, log: Log, quarantine: Quarantine) -> Iterator[str]:
    for payload, reasons in quarantine.items():
        item = ledger.sent.get(payload)
        if item is None:
            continue
        if item.key is None and reasons != {item.reason}:
            yield f"{payload[:80]!r} is in quarantine as {reasons}, expected {item.reason}"
        if item.key is not None and (reasons != {"uuid_conflict"} or item.key not in log):
            yield f"{item.key} is in quarantine as {reasons}, expected in the log"


def _says(item: Item, payloads: list[bytes]) -> bool:
    """Whether one of *payloads* says what *item* does, byte for byte or as JSON."""
    return item.payload in payloads or any(_json(item.payload) == _json(said) for said in payloads)


def _json(payload: bytes) -> Any:
    return json.loads(payload)


def _corruption(connection: Connection) -> Iterator[str]:
    """What PostgreSQL's own examiner finds wrong with the files, if it is at hand."""
    available = "SELECT FROM pg_available_extensions WHERE name = 'amcheck'"
    if connection.execute(available).fetchone() is None:
        return
    connection.execute("CREATE EXTENSION IF NOT EXISTS amcheck")
    try:
        connection.execute(INDEXES).fetchall()
    except psycopg.errors.IndexCorrupted as error:
        yield str(error)
    for (message,) in connection.execute(HEAPS):
        yield message


def _named(what: str, found: Iterator[str]) -> list[str]:
    """The first few of them, and how many more there are."""
    everything = list(found)
    named = [f"{what}: {one}" for one in everything[:NAMED]]
    if len(everything) > NAMED:
        named.append(f"{what}: and {len(everything) - NAMED} more")
    return named
