-- What began and what ended in each version. Each branch is one table and no condition: only then does
-- the planner take its rows from an index in the order that is asked for.
CREATE VIEW inventory.change AS
SELECT
    account_id, phone_number_id, phone_number, changed_at, kind, from_provider_id,
    from_provider_name, to_provider_id, to_provider_name, position, origin
FROM (
    SELECT
        account_id, phone_number_id, phone_number, valid_from AS changed_at, opened_kind AS kind,
        previous_provider_id AS from_provider_id, previous_provider_name AS from_provider_name,
        provider_id AS to_provider_id, provider_name AS to_provider_name, opened_by AS position,
        opened_origin AS origin
    FROM inventory.contact_center_number_version
    UNION ALL
    SELECT
        account_id, phone_number_id, phone_number, valid_to, closed_kind, provider_id, provider_name,
        NULL, NULL, closed_by, closed_origin
    FROM inventory.contact_center_number_version
    UNION ALL
    SELECT
        account_id, phone_number_id, phone_number, valid_from AS changed_at, opened_kind AS kind,
        previous_provider_id AS from_provider_id, previous_provider_name AS from_provider_name,
        provider_id AS to_provider_id, provider_name AS to_provider_name, opened_by AS position,
        opened_origin AS origin
    FROM inventory.contact_center_number_momentary_version
    UNION ALL
    SELECT
        account_id, phone_number_id, phone_number, valid_to, closed_kind, provider_id, provider_name,
        NULL, NULL, closed_by, closed_origin
    FROM inventory.contact_center_number_momentary_version
) AS boundary
WHERE kind IS NOT NULL;

COMMENT ON VIEW inventory.change IS
    'Every change of a Contact Center number: one row for each boundary between two states';
COMMENT ON COLUMN inventory.change.account_id IS 'RingCentral account, digits';
COMMENT ON COLUMN inventory.change.phone_number_id IS 'RingCentral''s id of the number, digits';
COMMENT ON COLUMN inventory.change.phone_number IS 'E.164: after the change, or before it where the number left';
COMMENT ON COLUMN inventory.change.changed_at IS 'When it happened';
COMMENT ON COLUMN inventory.change.kind IS
    'created, reassigned_in (converted to Contact Center), provider_changed, attributes_changed, '
    'reassigned_out (to another use), deleted';
COMMENT ON COLUMN inventory.change.from_provider_id IS 'Provider before; null: none named, or the number was not in';
COMMENT ON COLUMN inventory.change.from_provider_name IS 'Its name, as sent';
COMMENT ON COLUMN inventory.change.to_provider_id IS 'Provider after; null: none named, or the number left';
COMMENT ON COLUMN inventory.change.to_provider_name IS 'Its name, as sent';
COMMENT ON COLUMN inventory.change.position IS 'The event that made the change';
COMMENT ON COLUMN inventory.change.origin IS 'Where that event came from: notification, observation, operator';
