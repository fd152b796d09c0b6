CREATE FUNCTION inventory.refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%.% is append-only: % refused', TG_TABLE_SCHEMA, TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation',
              HINT = 'What is wrong in the log is corrected by a later event.';
END
$$;

COMMENT ON FUNCTION inventory.refuse_change() IS
    'Trigger that keeps append-only tables append-only.';
