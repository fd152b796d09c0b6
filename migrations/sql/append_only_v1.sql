-- ENABLE ALWAYS: an ordinary trigger sleeps while session_replication_role is 'replica'.

CREATE TRIGGER append_only_rows
    BEFORE UPDATE OR DELETE ON inventory.event
    FOR EACH ROW EXECUTE FUNCTION inventory.refuse_change();
CREATE TRIGGER append_only_table
    BEFORE TRUNCATE ON inventory.event
    FOR EACH STATEMENT EXECUTE FUNCTION inventory.refuse_change();
ALTER TABLE inventory.event ENABLE ALWAYS TRIGGER append_only_rows;
ALTER TABLE inventory.event ENABLE ALWAYS TRIGGER append_only_table;

CREATE TRIGGER append_only_rows
    BEFORE UPDATE OR DELETE ON inventory.seal
    FOR EACH ROW EXECUTE FUNCTION inventory.refuse_change();
CREATE TRIGGER append_only_table
    BEFORE TRUNCATE ON inventory.seal
    FOR EACH STATEMENT EXECUTE FUNCTION inventory.refuse_change();
ALTER TABLE inventory.seal ENABLE ALWAYS TRIGGER append_only_rows;
ALTER TABLE inventory.seal ENABLE ALWAYS TRIGGER append_only_table;

COMMENT ON TRIGGER append_only_rows ON inventory.event IS 'Refuses UPDATE and DELETE, also by MERGE and ON CONFLICT.';
COMMENT ON TRIGGER append_only_table ON inventory.event IS 'Refuses TRUNCATE.';
COMMENT ON TRIGGER append_only_rows ON inventory.seal IS 'Refuses UPDATE and DELETE, also by MERGE and ON CONFLICT.';
COMMENT ON TRIGGER append_only_table ON inventory.seal IS 'Refuses TRUNCATE.';
