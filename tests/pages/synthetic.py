"""Inventories to look at: of any size, in a few statements; and one number as strange as can be."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from inventory import event_log, projector, quarantine
from inventory.database import Database
from inventory.event import CONTACT_CENTER, Attributes, Event
from inventory.quarantine import Quarantined

ACCOUNT = "400000001"
STRANGE_ID = "987654321"

# A history of its own, without the care that an append takes: this is about looking at it. Every
# third number moved to another provider, every eighth left; what is late is known late.
EVENTS = """
WITH number AS (
    SELECT n, (%(account)s::bigint + (n %% 5 = 0)::int)::text AS account_id
    FROM generate_series(1, %(numbers)s) AS n
),
said AS (
    SELECT
        n, account_id, step,
        clock_timestamp()
            - make_interval(mins => 20 + (n::bigint * 7919 %% 400000)::int / step) AS occurred_at,
        CASE WHEN step = 1 THEN 'Created' WHEN n %% 8 = 0 THEN 'Deleted' ELSE 'Updated' END
            AS event_type,
        ((n / 7) %% 5 + (step = 2 AND n %% 3 = 0)::int) AS provider
    FROM number
    CROSS JOIN generate_series(1, CASE WHEN n %% 3 = 0 OR n %% 8 = 0 THEN 2 ELSE 1 END) AS step
),
placed AS (
    SELECT *, row_number() OVER (PARTITION BY account_id ORDER BY occurred_at, n) AS position
    FROM said
),
event AS (
    INSERT INTO inventory.event (
        account_id, position, recorded_at, occurred_at, phone_number_id, event_uuid, event_type,
        origin, phone_number, payment_type, location, number_type, usage_type, status,
        provider_id, provider_name, payload, payload_sha256
    )
    SELECT
        account_id, position, occurred_at + interval '2 seconds', occurred_at,
        (700000000 + n)::text, (10000000 * step + n)::text, event_type, 'notification',
        '+1' || lpad(n::text, 10, '2025550000'), 'Local',
        (ARRAY['Washington, DC', 'San José, CA', 'Zürich'])[1 + n %% 3], 'VoiceFax',
        'ContactCenterNumber', CASE WHEN n %% 11 = 0 THEN 'Pending' ELSE 'Normal' END,
        nullif(provider, 4)::text,
        (ARRAY['InContact/North America', 'InContact/Europe', 'Five9', 'Ring CX', NULL, 'Genesys'])
            [1 + provider],
        json_build_object('uuid', n), sha256(n::text::bytea)
    FROM placed
    ORDER BY account_id, position
    RETURNING account_id, position, recorded_at
),
head AS (
    SELECT account_id, max(position) AS position, max(recorded_at) AS recorded_at
    FROM event
    GROUP BY account_id
),
seal AS (
    INSERT INTO inventory.seal
        (account_id, first_position, last_position, sealed_at, source, previous_hash, events_hash,
         hash)
    SELECT account_id, 1, position, recorded_at, 'file:synthetic', '', '', ''
    FROM head
)
INSERT INTO inventory.account (account_id, position, head_hash, recorded_at)
SELECT account_id, position, '', recorded_at
FROM head
"""


# What reconciliations and subscriptions look like, the first of them as strange as can be.
SURROUNDINGS = """
WITH run AS (
    INSERT INTO inventory.reconciliation
        (account_id, source, mode, started_at, finished_at, outcome, position, seen, added,
         missing, appended, requests, guard, detail, requested_at, reason)
    VALUES
        (%(account)s, 'ringcentral', 'apply', now(), now(), 'complete', 1, 10, 2, 0, 2, 3, NULL,
         NULL, NULL, NULL),
        (%(account)s, 'ringcentral', 'apply', now(), now(), 'refused', 1, 10, 0, 40, 0, 3,
         'absent_of_account', %(strange)s, NULL, NULL),
        (%(account)s, %(strange)s, 'plan', now(), now(), 'complete', 1, 10, 1, 0, 0, 3, NULL,
         %(strange)s, NULL, NULL),
        (%(account)s, 'ringcentral', 'apply', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
         NULL, NULL, now(), %(strange)s)
    RETURNING id
)
INSERT INTO inventory.discrepancy
    (reconciliation_id, account_id, phone_number_id, phone_number, finding, class, expected, found,
     detail)
SELECT id, %(account)s, %(number)s, %(strange)s, 'different', %(strange)s,
       json_build_object('status', %(strange)s, 'location', 'Zürich'),
       json_build_object('status', 'Normal', 'location', %(strange)s), %(strange)s
FROM run
"""

SUBSCRIPTIONS = """
INSERT INTO inventory.subscription
    (subscription_id, account_id, status, event_filters, transport, address, expires_at, seen_at)
VALUES
    ('9d38419f', %(account)s, 'Active', ARRAY['/restapi/v1.0/account/~/phone-number'], 'WebHook',
     'https://inventory.example/webhooks/ringcentral', now() + interval '80 days', now()),
    (%(strange)s, %(account)s, %(strange)s, ARRAY[%(strange)s], %(strange)s, %(strange)s,
     now() - interval '1 day', now())
"""


def fill(database: Database, numbers: int) -> None:
    """So many numbers of two accounts, folded, with up-to-date statistics."""
    with database.connect(autocommit=True) as connection:
        connection.execute(EVENTS, {"account": ACCOUNT, "numbers": numbers})
        connection.execute("ANALYZE inventory.event")
        fold(database)
        connection.execute("ANALYZE")


def fold(database: Database) -> None:
    """Fold what waits."""
    for _ in projector.fold_all(database.connect):
        pass


def strange(field: str) -> str:
    """What a field might hold to break a page: markup, quotes, right to left, and no end."""
    return (
        f"<b id=broken>{field}</b><script>alert('{field}')</script>\"&amp;{{{{7919*7919}}}} "
        f"\u202eمزود الخدمة\u202c עברית {'x' * 120}"
    )


def add_strange(database: Database) -> None:
    """One number of which every field is strange, in each of its two states; and in quarantine."""
    now = datetime.now(UTC).replace(microsecond=0)
    for serial, moved in enumerate(("", " moved")):
        names = [name for name in Attributes._fields if name != "usage_type"]
        attributes = Attributes(
            **{name: strange(name) + moved for name in names}, usage_type=CONTACT_CENTER
        )
        payload = json.dumps({"strange": strange("payload")}, ensure_ascii=False)
        event = Event(
            ACCOUNT,
            STRANGE_ID,
            strange("uuid") + moved,
            "Updated",
            "notification",
            now - timedelta(hours=3 - serial),
            strange("subscription"),
            strange("owner"),
            attributes,
            payload,
            sha256(payload.encode()).digest(),
        )
        with database.connect() as connection:
            event_log.append(connection, event_log.prepare([event]), source=strange("source"))
    with database.connect() as connection:
        quarantine.put(
            connection,
            [
                Quarantined(strange("source"), "invalid_json", strange("detail"), payload)
                for payload in (strange("payload").encode(), b"\xff\x00\x01 not text", b"")
            ],
        )
        said = {"account": ACCOUNT, "number": STRANGE_ID, "strange": strange("said")}
        connection.execute(SURROUNDINGS, said)
        connection.execute(SUBSCRIPTIONS, said)
    fold(database)
