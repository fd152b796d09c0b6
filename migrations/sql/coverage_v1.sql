CREATE VIEW inventory.coverage AS
SELECT
    reconciliation.id AS reconciliation_id,
    reconciliation.account_id,
    reconciliation.started_at,
    reconciliation.notified,
    found.missed,
    found.late,
    round(
        reconciliation.notified::numeric
        / nullif(reconciliation.notified + found.missed + found.late, 0),
        4
    ) AS coverage,
    found.late_seconds_median,
    found.late_seconds_most
FROM inventory.reconciliation
-- Of each run for itself, so that whoever asks for a few runs has no others looked at.
CROSS JOIN LATERAL (
    SELECT
        count(*) FILTER (WHERE discrepancy.class = 'missed event') AS missed,
        count(*) FILTER (WHERE discrepancy.class = 'late event') AS late,
        percentile_disc(0.5) WITHIN GROUP (ORDER BY discrepancy.late_seconds) AS late_seconds_median,
        max(discrepancy.late_seconds) AS late_seconds_most
    FROM inventory.classified_discrepancy AS discrepancy
    -- Of the many that an initial load finds, none is looked at.
    JOIN inventory.discrepancy AS missed
        ON missed.account_id = discrepancy.account_id
       AND missed.id = discrepancy.id
       AND missed.class = 'missed event'
    WHERE missed.account_id = reconciliation.account_id
      AND missed.reconciliation_id = reconciliation.id
      AND missed.suppression_id IS NULL
      -- What an earlier run found and nothing was done about is not missed anew.
      AND NOT coalesce((
          SELECT earlier.finding = discrepancy.finding AND earlier.position IS NULL
          FROM inventory.discrepancy AS earlier
          WHERE earlier.account_id = discrepancy.account_id
            AND earlier.phone_number_id = discrepancy.phone_number_id
            AND earlier.reconciliation_id < discrepancy.reconciliation_id
          ORDER BY earlier.reconciliation_id DESC
          LIMIT 1
      ), false)
) AS found
WHERE reconciliation.notified IS NOT NULL;

COMMENT ON VIEW inventory.coverage IS
    'How far notifications can be relied upon: of the changes that RingCentral announces (created, '
    'deleted, converted, reassigned away) between one reconciliation and the next, how many we were '
    'told of before we looked';
COMMENT ON COLUMN inventory.coverage.reconciliation_id IS 'The run at the end of the interval';
COMMENT ON COLUMN inventory.coverage.account_id IS 'RingCentral account, digits';
COMMENT ON COLUMN inventory.coverage.started_at IS 'When that run began';
COMMENT ON COLUMN inventory.coverage.notified IS 'Changes that notifications told us of in time';
COMMENT ON COLUMN inventory.coverage.missed IS 'Changes that no notification has told us of so far';
COMMENT ON COLUMN inventory.coverage.late IS 'Changes that a notification told us of after we had looked';
COMMENT ON COLUMN inventory.coverage.coverage IS
    'The share of notified in all of them, 0 to 1; null: there was no change';
COMMENT ON COLUMN inventory.coverage.late_seconds_median IS 'How late half of the late ones were at most';
COMMENT ON COLUMN inventory.coverage.late_seconds_most IS 'How late the latest one was';
