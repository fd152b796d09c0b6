CREATE VIEW inventory.freshness AS
SELECT
    account.account_id,
    account.position AS head,
    coalesce(checkpoint.position, 0) AS projected_position,
    account.position - coalesce(checkpoint.position, 0) AS lag_events,
    coalesce(extract(epoch FROM clock_timestamp() - waiting.recorded_at), 0) AS lag_seconds,
    -- Not joined, so that whoever does not ask for it does not have it looked for: it may lie behind
    -- as many observations as an account has numbers.
    (
        SELECT event.recorded_at
        FROM inventory.event
        WHERE event.account_id = account.account_id
          AND event.origin = 'notification'
        ORDER BY event.position DESC
        LIMIT 1
    ) AS last_notification_at,
    (
        SELECT max(reconciliation.finished_at)
        FROM inventory.reconciliation
        WHERE reconciliation.account_id = account.account_id
          AND reconciliation.outcome = 'complete'
          AND reconciliation.source = 'ringcentral'
          AND reconciliation.scope IS NULL
    ) AS last_reconciliation_at,
    (SELECT count(*) FROM inventory.quarantine WHERE resolved_at IS NULL) AS open_quarantine
FROM inventory.account
LEFT JOIN inventory.projection_checkpoint AS checkpoint
    ON checkpoint.account_id = account.account_id
LEFT JOIN LATERAL (
    SELECT event.recorded_at
    FROM inventory.event
    WHERE event.account_id = account.account_id
      AND event.position = coalesce(checkpoint.position, 0) + 1
) AS waiting ON true;

COMMENT ON VIEW inventory.freshness IS 'How current the inventory of each account is';
COMMENT ON COLUMN inventory.freshness.account_id IS 'RingCentral account, digits';
COMMENT ON COLUMN inventory.freshness.head IS 'Position of the latest event in the log';
COMMENT ON COLUMN inventory.freshness.projected_position IS 'Position up to which the inventory is folded';
COMMENT ON COLUMN inventory.freshness.lag_events IS 'Events recorded and not folded yet';
COMMENT ON COLUMN inventory.freshness.lag_seconds IS 'How long the oldest of them has waited; 0: none waits';
COMMENT ON COLUMN inventory.freshness.last_notification_at IS
    'When RingCentral last told us anything; long silence is normal and proves nothing';
COMMENT ON COLUMN inventory.freshness.last_reconciliation_at IS 'When a complete reconciliation last ended';
COMMENT ON COLUMN inventory.freshness.open_quarantine IS
    'Items in quarantine, over all accounts: much of what is there names none';
