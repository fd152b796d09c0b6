-- The fold once more, as a query: the law over the events known then, for all numbers at once. Its
-- body is inlined: a condition on account_id and phone_number_id becomes one on the log's index.
CREATE FUNCTION inventory.version_as_of(
    at timestamptz DEFAULT now(),
    known_at timestamptz DEFAULT now()
) RETURNS SETOF inventory.contact_center_number_version
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT *
    FROM (
        WITH step AS (
            SELECT
                *,
                inventory.inside(event_type, usage_type) AS inside,
                ROW (
                    phone_number, payment_type, location, number_type,
                    usage_type, status, provider_id, provider_name
                ) AS state
            FROM inventory.event
            WHERE event.occurred_at <= version_as_of.at
              AND event.recorded_at <= version_as_of.known_at
        ),
        compared AS (
            SELECT
                *,
                coalesce(lag(inside) OVER life, false) AS was_inside,
                lag(state) OVER life AS previous_state,
                lag(provider_id) OVER life AS previous_provider_id,
                lag(provider_name) OVER life AS previous_provider_name
            FROM step
            WINDOW life AS (PARTITION BY account_id, phone_number_id ORDER BY occurred_at, position)
        ),
        boundary AS (
            SELECT
                *,
                max(occurred_at) FILTER (WHERE NOT was_inside) OVER life AS entered_at,
                max(occurred_at) FILTER (
                    WHERE NOT was_inside OR provider_id IS DISTINCT FROM previous_provider_id
                ) OVER life AS provider_since,
                lead(occurred_at) OVER life AS next_at,
                lead(position) OVER life AS next_position,
                lead(inside) OVER life AS next_inside,
                lead(event_type) OVER life AS next_type,
                lead(origin) OVER life AS next_origin
            FROM compared
            WHERE inside <> was_inside OR (inside AND state IS DISTINCT FROM previous_state)
            WINDOW life AS (PARTITION BY account_id, phone_number_id ORDER BY occurred_at, position)
        )
        SELECT
            account_id, phone_number_id, occurred_at AS valid_from, next_at AS valid_to,
            phone_number, payment_type, location, number_type, usage_type, status, provider_id,
            provider_name, uri,
            entered_at, provider_since, position AS opened_by,
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
    ) AS version

    UNION ALL

    -- No row ever: versions follow from all events, and whoever asks is told that some are missing.
    SELECT
        archive.account_id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
        NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
    FROM inventory.archive
    WHERE NOT inventory.require_whole_log(archive.account_id)
$$;

COMMENT ON FUNCTION inventory.version_as_of(timestamptz, timestamptz) IS
    'The versions of all numbers as they were at one time, from what was known at another: the fold '
    'over the events that occurred until the first and were recorded until the second, momentary '
    'versions (valid_to = valid_from) among them';
