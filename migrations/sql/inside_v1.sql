CREATE FUNCTION inventory.inside(event_type text, usage_type text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN event_type <> 'Deleted' AND coalesce(usage_type, 'ContactCenterNumber') = 'ContactCenterNumber';

COMMENT ON FUNCTION inventory.inside(text, text) IS
    'Whether a number is in Contact Center after such an event: not Deleted, and of usage type '
    'ContactCenterNumber or none named.';
