"""
The fold in SQL: what the law says, set-based.

Written from the law, not from `lifecycle.py`; tests hold the two equal. Every statement works on
one account, and on its events up to `%(through)s`.

Rewind and refold: for each number touched by events after the checkpoint, the versions from the
earliest touched instant on are dropped, and refolded from the version that stood before it. In
order, that is O(new events); a late event costs what lies after it. From nothing it is the same
fold over every number, and in that case nothing stands before.
"""

from __future__ import annotations

# Named once a statement, since each runs alone.
_TOUCHED = """
WITH touched AS (
    SELECT phone_number_id, min(occurred_at) AS since
    FROM inventory.event
    WHERE account_id = %(account_id)s
      AND position > %(after)s AND position <= %(through)s
    GROUP BY phone_number_id
)"""

REWIND = f"""{_TOUCHED},
momentary AS (
    DELETE FROM inventory.contact_center_number_momentary_version AS version
    USING touched
    WHERE version.account_id = %(account_id)s
      AND version.phone_number_id = touched.phone_number_id
      AND version.valid_from >= touched.since
)
DELETE FROM inventory.contact_center_number_version AS version
USING touched
WHERE version.account_id = %(account_id)s
  AND version.phone_number_id = touched.phone_number_id
  AND version.valid_from >= touched.since
"""

# The version that stood just before the rewound instant opens the refold as if it were an event.
# A version ended by an event of that very instant stood before it, too.
_STEPS_OF_TOUCHED = f"""{_TOUCHED},
step AS (
    SELECT
        version.phone_number_id, version.valid_from AS occurred_at, version.opened_by AS position,
        'Created' AS event_type, version.opened_origin AS origin, true AS inside,
        version.phone_number, version.payment_type, version.location, version.number_type,
        version.usage_type, version.status, version.provider_id, version.provider_name,
        version.uri, version.entered_at, version.provider_since
    FROM touched
    CROSS JOIN LATERAL (
        SELECT *
        FROM inventory.contact_center_number_version AS earlier
        WHERE earlier.account_id = %(account_id)s
          AND earlier.phone_number_id = touched.phone_number_id
          AND earlier.valid_from < touched.since
        ORDER BY earlier.valid_from DESC
        LIMIT 1
    ) AS version
    WHERE version.valid_to IS NULL OR version.valid_to >= touched.since

    UNION ALL

    SELECT
        event.phone_number_id, event.occurred_at, event.position,
        event.event_type, event.origin, inventory.inside(event.event_type, event.usage_type),
        event.phone_number, event.payment_type, event.location, event.number_type,
        event.usage_type, event.status, event.provider_id, event.provider_name,
        event.uri, event.occurred_at, event.occurred_at
    FROM touched
    JOIN inventory.event
      ON event.account_id = %(account_id)s
     AND event.phone_number_id = touched.phone_number_id
     AND event.occurred_at >= touched.since
     AND event.position <= %(through)s
)"""

_STEPS_OF_ALL = """
WITH step AS (
    SELECT
        phone_number_id, occurred_at, position,
        event_type, origin, inventory.inside(event_type, usage_type) AS inside,
        phone_number, payment_type, location, number_type,
        usage_type, status, provider_id, provider_name,
        uri, occurred_at AS entered_at, occurred_at AS provider_since
    FROM inventory.event
    WHERE account_id = %(account_id)s
      AND position <= %(through)s
)"""

# Steps become boundaries, boundaries become versions. `entered_at` and `provider_since` of a step
# are what they would be if the number entered, or got its provider, with it.
_VERSIONS = """,
compared AS (
    SELECT
        *,
        coalesce(lag(inside) OVER life, false) AS was_inside,
        lag(provider_id) OVER life AS previous_provider_id,
        lag(provider_name) OVER life AS previous_provider_name,
        ROW (
            phone_number, payment_type, location, number_type,
            usage_type, status, provider_id, provider_name
        ) AS state,
        lag(ROW (
            phone_number, payment_type, location, number_type,
            usage_type, status, provider_id, provider_name
        )) OVER life AS previous_state
    FROM step
    WINDOW life AS (PARTITION BY phone_number_id ORDER BY occurred_at, position)
),
boundary AS (
    SELECT
        *,
        lead(occurred_at) OVER life AS next_at,
        lead(position) OVER life AS next_position,
        lead(inside) OVER life AS next_inside,
        lead(event_type) OVER life AS next_type,
        lead(origin) OVER life AS next_origin,
        max(entered_at) FILTER (WHERE NOT was_inside) OVER life AS in_since,
        max(provider_since) FILTER (
            WHERE NOT was_inside OR provider_id IS DISTINCT FROM previous_provider_id
        ) OVER life AS with_provider_since
    FROM compared
    WHERE inside <> was_inside OR (inside AND state IS DISTINCT FROM previous_state)
    WINDOW life AS (PARTITION BY phone_number_id ORDER BY occurred_at, position)
),
version AS MATERIALIZED (
    SELECT
        %(account_id)s AS account_id, phone_number_id,
        occurred_at AS valid_from, next_at AS valid_to,
        phone_number, payment_type, location, number_type,
        usage_type, status, provider_id, provider_name, uri,
        in_since AS entered_at, with_provider_since AS provider_since,
        position AS opened_by,
        CASE
            WHEN was_inside AND provider_id IS DISTINCT FROM previous_provider_id
                THEN 'provider_changed'
            WHEN was_inside THEN 'attributes_changed'
            WHEN event_type = 'Created' THEN 'created'
            ELSE 'reassigned_in'
        END AS opened_kind,
        origin AS opened_origin,
        CASE WHEN was_inside THEN previous_provider_id END AS previous_provider_id,
        CASE WHEN was_inside THEN previous_provider_name END AS previous_provider_name,
        next_position AS closed_by,
        CASE
            WHEN next_inside THEN NULL
            WHEN next_type = 'Deleted' THEN 'deleted'
            WHEN next_type IS NOT NULL THEN 'reassigned_out'
        END AS closed_kind,
        next_origin AS closed_origin
    FROM boundary
    WHERE inside
)"""

_VERSION_COLUMNS = """
    account_id, phone_number_id, valid_from, valid_to,
    phone_number, payment_type, location, number_type,
    usage_type, status, provider_id, provider_name, uri,
    entered_at, provider_since, opened_by, opened_kind, opened_origin,
    previous_provider_id, previous_provider_name, closed_by, closed_kind, closed_origin"""

# Straight into the only partition: routing every row through its parent costs a tenth of the fold.
_INSERT_VERSIONS = f""",
momentary AS (
    INSERT INTO inventory.contact_center_number_momentary_version{{suffix}} ({_VERSION_COLUMNS}
    )
    SELECT {_VERSION_COLUMNS}
    FROM version
    WHERE valid_to = valid_from
)
INSERT INTO inventory.contact_center_number_version{{suffix}} ({_VERSION_COLUMNS}
)
SELECT {_VERSION_COLUMNS}
FROM version
WHERE valid_to IS NULL OR valid_to > valid_from
"""

# The version that stood before is there already; a refold can only move its end.
REFOLD_VERSIONS = (
    _STEPS_OF_TOUCHED
    + _VERSIONS
    + _INSERT_VERSIONS.format(suffix="_live")
    + """
ON CONFLICT (account_id, phone_number_id, valid_from) DO UPDATE
SET valid_to = excluded.valid_to,
    closed_by = excluded.closed_by,
    closed_kind = excluded.closed_kind,
    closed_origin = excluded.closed_origin
"""
)

FOLD_VERSIONS = _STEPS_OF_ALL + _VERSIONS + _INSERT_VERSIONS.format(suffix="_live")
REBUILD_VERSIONS = _STEPS_OF_ALL + _VERSIONS + _INSERT_VERSIONS.format(suffix="_new")

# Only an event that is outside can be the latest of a number that was inside.
FORGET_DEPARTED = """
WITH perhaps AS (
    SELECT DISTINCT phone_number_id
    FROM inventory.event
    WHERE account_id = %(account_id)s
      AND position > %(after)s AND position <= %(through)s
      AND NOT inventory.inside(event_type, usage_type)
)
DELETE FROM inventory.contact_center_number AS number
USING perhaps
WHERE number.account_id = %(account_id)s
  AND number.phone_number_id = perhaps.phone_number_id
  AND NOT EXISTS (
      SELECT
      FROM inventory.contact_center_number_version AS version
      WHERE version.account_id = %(account_id)s
        AND version.phone_number_id = perhaps.phone_number_id
        AND version.valid_to IS NULL
  )
"""

_CURRENT_OF_TOUCHED = f"""{_TOUCHED},
current AS (
    SELECT version.*
    FROM touched
    CROSS JOIN LATERAL (
        SELECT *
        FROM inventory.contact_center_number_version AS latest
        WHERE latest.account_id = %(account_id)s
          AND latest.phone_number_id = touched.phone_number_id
        ORDER BY latest.valid_from DESC
        LIMIT 1
    ) AS version
    WHERE version.valid_to IS NULL
)"""

_CURRENT_OF_ALL = """
WITH current AS (
    SELECT *
    FROM inventory.contact_center_number_version{suffix}
    WHERE account_id = %(account_id)s
      AND valid_to IS NULL
)"""

# What the events of the current version say beyond opening it: which was the latest, and since
# when an `Updated` that changed nothing has left the number in doubt. One probe of an index a
# number, LATERAL, so that a planner without statistics cannot think of anything else.
_INSERT_NUMBERS = """
INSERT INTO inventory.contact_center_number{suffix} (
    account_id, phone_number_id,
    phone_number, payment_type, location, number_type,
    usage_type, status, provider_id, provider_name, uri,
    valid_from, entered_at, provider_since, verified_at, unverified_since, last_position
)
SELECT
    current.account_id, current.phone_number_id,
    current.phone_number, current.payment_type, current.location, current.number_type,
    current.usage_type, current.status, current.provider_id, current.provider_name, tail.uri,
    current.valid_from, current.entered_at, current.provider_since, look.verified_at,
    tail.unverified_since, tail.last_position
FROM current
LEFT JOIN LATERAL (
    SELECT event.occurred_at, event.position
    FROM inventory.event
    WHERE event.account_id = %(account_id)s
      AND event.phone_number_id = current.phone_number_id
      AND event.position <= %(through)s
      AND event.origin <> 'notification'
    ORDER BY event.occurred_at DESC, event.position DESC
    LIMIT 1
) AS word ON true
LEFT JOIN LATERAL (
    SELECT event.occurred_at AS verified_at
    FROM inventory.event
    WHERE word.position IS NOT NULL
      AND event.account_id = %(account_id)s
      AND event.phone_number_id = current.phone_number_id
      AND event.position <= %(through)s
      AND event.origin <> 'notification'
      AND event.origin = 'observation'
    ORDER BY event.occurred_at DESC
    LIMIT 1
) AS look ON true
CROSS JOIN LATERAL (
    SELECT
        (array_agg(event.position ORDER BY event.occurred_at DESC, event.position DESC))[1]
            AS last_position,
        (array_agg(event.uri ORDER BY event.occurred_at DESC, event.position DESC))[1]
            AS uri,
        min(event.occurred_at) FILTER (
            WHERE event.origin = 'notification' AND event.event_type = 'Updated'
              AND event.position <> current.opened_by
              AND (
                  word.position IS NULL
                  OR (event.occurred_at, event.position) > (word.occurred_at, word.position)
              )
        ) AS unverified_since
    FROM inventory.event
    WHERE event.account_id = %(account_id)s
      AND event.phone_number_id = current.phone_number_id
      AND event.occurred_at >= current.valid_from
      AND event.position <= %(through)s
      AND (event.occurred_at, event.position) >= (current.valid_from, current.opened_by)
) AS tail
"""

REFOLD_NUMBERS = (
    _CURRENT_OF_TOUCHED
    + _INSERT_NUMBERS.format(suffix="_live").rstrip()
    + """
ON CONFLICT (account_id, phone_number_id) DO UPDATE
SET phone_number = excluded.phone_number,
    payment_type = excluded.payment_type,
    location = excluded.location,
    number_type = excluded.number_type,
    usage_type = excluded.usage_type,
    status = excluded.status,
    provider_id = excluded.provider_id,
    provider_name = excluded.provider_name,
    uri = excluded.uri,
    valid_from = excluded.valid_from,
    entered_at = excluded.entered_at,
    provider_since = excluded.provider_since,
    verified_at = excluded.verified_at,
    unverified_since = excluded.unverified_since,
    last_position = excluded.last_position
"""
)

FOLD_NUMBERS = _CURRENT_OF_ALL.format(suffix="") + _INSERT_NUMBERS.format(suffix="_live")
REBUILD_NUMBERS = _CURRENT_OF_ALL.format(suffix="_new") + _INSERT_NUMBERS.format(suffix="_new")
