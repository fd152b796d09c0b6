-- What a detached archive holds may go: whoever may record an archive owns the table, and could
-- lift this trigger. The application can neither delete nor record one.
CREATE FUNCTION inventory.refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    -- By name: on a node of Citus the seals are in seal_102008 and the like.
    IF TG_OP = 'DELETE' AND TG_TABLE_NAME !~ '^seal(_|$)' THEN
        IF EXISTS (
            SELECT
            FROM inventory.archive
            WHERE archive.account_id = OLD.account_id
              AND OLD.position BETWEEN archive.first_position AND archive.last_position
        ) THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION '%.% is append-only: % refused', TG_TABLE_SCHEMA, TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation',
              HINT = 'What is wrong in the log is corrected by a later event.';
END
$$;

COMMENT ON FUNCTION inventory.refuse_change() IS
    'Trigger that keeps append-only tables append-only; events of a detached archive may go.';
