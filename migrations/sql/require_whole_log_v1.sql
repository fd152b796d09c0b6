-- Called where a partial log would be answered from as if it were whole: it fails, and says what is
-- needed, rather than let anybody believe half of it.
CREATE FUNCTION inventory.require_whole_log(
    account_id text,
    since timestamptz DEFAULT NULL
) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 10000
AS $$
DECLARE
    gone inventory.archive;
BEGIN
    SELECT *
    INTO gone
    FROM inventory.archive
    WHERE (require_whole_log.account_id IS NULL
           OR archive.account_id = require_whole_log.account_id COLLATE "C")
      AND (since IS NULL OR archive.occurred_until >= since)
    ORDER BY archive.last_position DESC
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION
            'expected the whole log of account %, found events % to % archived in %',
            gone.account_id, gone.first_position, gone.last_position, gone.directory
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = '`inventory archive restore` puts them back.';
    END IF;
    RETURN true;
END
$$;

COMMENT ON FUNCTION inventory.require_whole_log(text, timestamptz) IS
    'True if all events of the account, or of all accounts, are in the log, or all that occurred '
    'from a time on; fails if some are in an archive alone';
