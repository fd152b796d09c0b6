-- A type of its own: columns that RETURNS TABLE declares are of the default collation, and a
-- condition on an id in another collation than its index finds no way into it.
CREATE TYPE inventory.number_then AS (
    account_id text COLLATE "C",
    phone_number_id text COLLATE "C",
    phone_number text,
    payment_type text,
    location text,
    number_type text,
    usage_type text,
    status text,
    provider_id text,
    provider_name text,
    uri text
);

COMMENT ON TYPE inventory.number_then IS 'A number as it was at a time: a row of number_as_of';

-- Which event was a number's latest then is read off an index that holds both clocks, in the law's
-- order and so without a sort; the event itself is fetched once a number, LATERAL and LIMIT, so
-- that the planner cannot think of reading all events instead. Its body is inlined: a condition on
-- account_id and phone_number_id becomes one on that index.
CREATE FUNCTION inventory.number_as_of(
    at timestamptz DEFAULT now(),
    known_at timestamptz DEFAULT now()
) RETURNS SETOF inventory.number_then
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT
        latest.account_id, latest.phone_number_id, said.phone_number, said.payment_type,
        said.location, said.number_type, said.usage_type, said.status, said.provider_id,
        said.provider_name, said.uri
    FROM (
        SELECT DISTINCT ON (event.account_id, event.phone_number_id)
            event.account_id, event.phone_number_id, event.position
        FROM inventory.event
        WHERE event.occurred_at <= number_as_of.at
          AND event.recorded_at <= number_as_of.known_at
        ORDER BY
            event.account_id DESC, event.phone_number_id DESC, event.occurred_at DESC,
            event.position DESC
    ) AS latest
    CROSS JOIN LATERAL (
        SELECT *
        FROM inventory.event
        WHERE event.account_id = latest.account_id
          AND event.position = latest.position
        LIMIT 1
    ) AS said
    WHERE inventory.inside(said.event_type, said.usage_type)

    UNION ALL

    -- No row ever: whoever asks for a time before an archive's end is told what is missing. It has
    -- an account, so that a condition on that spares the accounts that nobody asks about.
    SELECT
        archive.account_id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
    FROM inventory.archive
    WHERE (
        archive.occurred_until > number_as_of.at
        OR archive.recorded_until > number_as_of.known_at
    )
      AND NOT inventory.require_whole_log(archive.account_id)
$$;

COMMENT ON FUNCTION inventory.number_as_of(timestamptz, timestamptz) IS
    'The inventory as it was at one time, from what was known at another: the fold over the events '
    'that occurred until the first and were recorded until the second';
