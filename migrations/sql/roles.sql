-- The state that roles are to be in; run again after every upgrade, and harmless to repeat.
-- It says who may do what, and is no migration: roles belong to the server, not to the schema.

GRANT USAGE ON SCHEMA inventory TO inventory_app, inventory_reader;

-- The application appends and projects. What is in the log it can neither change nor remove.
GRANT SELECT ON ALL TABLES IN SCHEMA inventory TO inventory_app;
GRANT INSERT ON inventory.event, inventory.seal TO inventory_app;
GRANT INSERT, UPDATE ON
    inventory.account,
    inventory.projection_checkpoint,
    inventory.quarantine,
    inventory.reconciliation,
    inventory.discrepancy,
    inventory.suppression,
    inventory.subscription,
    inventory.api_token
    TO inventory_app;
GRANT INSERT, UPDATE, DELETE ON
    inventory.contact_center_number,
    inventory.contact_center_number_live,
    inventory.contact_center_number_version,
    inventory.contact_center_number_version_live,
    inventory.contact_center_number_momentary_version,
    inventory.contact_center_number_momentary_version_live
    TO inventory_app;
GRANT DELETE ON inventory.subscription TO inventory_app;
REVOKE UPDATE, DELETE, TRUNCATE ON inventory.event, inventory.seal FROM inventory_app;

-- Readers see the inventory, its history, the log, how far each is, and what reconciliations found;
-- not the quarantine, not the tokens.
GRANT SELECT ON
    inventory.account,
    inventory.archive,
    inventory.event,
    inventory.seal,
    inventory.projection_checkpoint,
    inventory.reconciliation,
    inventory.discrepancy,
    inventory.contact_center_number,
    inventory.contact_center_number_version,
    inventory.contact_center_number_momentary_version,
    inventory.change,
    inventory.reassignment,
    inventory.provider,
    inventory.freshness,
    inventory.suppression,
    inventory.classified_discrepancy,
    inventory.coverage,
    inventory.alembic_version
    TO inventory_reader;
GRANT EXECUTE ON FUNCTION
    inventory.number_as_of(timestamptz, timestamptz),
    inventory.version_as_of(timestamptz, timestamptz),
    inventory.inside(text, text),
    inventory.require_whole_log(text, timestamptz)
    TO inventory_reader, inventory_app;
