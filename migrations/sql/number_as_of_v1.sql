CREATE FUNCTION inventory.number_as_of(
    at timestamptz DEFAULT now(),
    known_at timestamptz DEFAULT now()
) RETURNS TABLE (
    account_id text,
    phone_number_id text,
    phone_number text,
    payment_type text,
    location text,
    number_type text,
    usage_type text,
    status text,
    provider_id text,
    provider_name text,
    uri text
)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT
        latest.account_id, latest.phone_number_id, latest.phone_number, latest.payment_type,
        latest.location, latest.number_type, latest.usage_type, latest.status, latest.provider_id,
        latest.provider_name, latest.uri
    FROM (
        SELECT DISTINCT ON (event.account_id, event.phone_number_id) event.*
        FROM inventory.event
        WHERE event.occurred_at <= number_as_of.at
          AND event.recorded_at <= number_as_of.known_at
        ORDER BY event.account_id, event.phone_number_id, event.occurred_at DESC, event.position DESC
    ) AS latest
    WHERE inventory.inside(latest.event_type, latest.usage_type)
$$;

COMMENT ON FUNCTION inventory.number_as_of(timestamptz, timestamptz) IS
    'The inventory as it was at one time, from what was known at another: the fold over the events '
    'that occurred until the first and were recorded until the second';
