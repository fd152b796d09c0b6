CREATE VIEW inventory.reassignment AS
SELECT *
FROM inventory.change
WHERE kind IN ('reassigned_in', 'provider_changed', 'reassigned_out');

COMMENT ON VIEW inventory.reassignment IS
    'Changes that moved a number: into Contact Center, between providers, or away';
COMMENT ON COLUMN inventory.reassignment.account_id IS 'RingCentral account, digits';
COMMENT ON COLUMN inventory.reassignment.phone_number_id IS 'RingCentral''s id of the number, digits';
COMMENT ON COLUMN inventory.reassignment.phone_number IS 'E.164: after the change, or before it where the number left';
COMMENT ON COLUMN inventory.reassignment.changed_at IS 'When it happened';
COMMENT ON COLUMN inventory.reassignment.kind IS 'reassigned_in, provider_changed or reassigned_out';
COMMENT ON COLUMN inventory.reassignment.from_provider_id IS 'Provider before; null: none named, or the number was not in';
COMMENT ON COLUMN inventory.reassignment.from_provider_name IS 'Its name, as sent';
COMMENT ON COLUMN inventory.reassignment.to_provider_id IS 'Provider after; null: none named, or the number left';
COMMENT ON COLUMN inventory.reassignment.to_provider_name IS 'Its name, as sent';
COMMENT ON COLUMN inventory.reassignment.position IS 'The event that made the change';
COMMENT ON COLUMN inventory.reassignment.origin IS 'Where that event came from: notification, observation, operator';
