CREATE VIEW inventory.classified_discrepancy AS
SELECT
    discrepancy.id,
    discrepancy.reconciliation_id,
    discrepancy.account_id,
    discrepancy.phone_number_id,
    discrepancy.phone_number,
    discrepancy.finding,
    CASE WHEN late.position IS NULL THEN discrepancy.class ELSE 'late event' END AS class,
    discrepancy.expected,
    discrepancy.found,
    discrepancy.seen_at,
    discrepancy.suppression_id,
    discrepancy.detail,
    discrepancy.position,
    late.position AS notification_position,
    extract(epoch FROM late.recorded_at - discrepancy.seen_at) AS late_seconds
FROM inventory.discrepancy
-- The first word of the number after we had looked, if it says what we saw. A farewell may name the
-- old use.
LEFT JOIN LATERAL (
    SELECT word.position, word.recorded_at
    FROM (
        SELECT event.position, event.recorded_at, event.event_type, event.usage_type
        FROM inventory.event
        WHERE discrepancy.class = 'missed event'
          AND event.account_id = discrepancy.account_id
          AND event.phone_number_id = discrepancy.phone_number_id
          AND event.origin = 'notification'
          AND event.recorded_at > discrepancy.seen_at
          AND event.occurred_at < discrepancy.seen_at + interval '1 day'
        ORDER BY event.position
        LIMIT 1
    ) AS word
    WHERE CASE discrepancy.finding
        WHEN 'added' THEN inventory.inside(word.event_type, word.usage_type)
        WHEN 'departed' THEN word.event_type = 'Updated'
        ELSE word.event_type = 'Deleted'
    END
) AS late ON true;

COMMENT ON VIEW inventory.classified_discrepancy IS
    'Discrepancies, with what has become known of them since: a missed event that was late after all';
COMMENT ON COLUMN inventory.classified_discrepancy.id IS 'Our number for it';
COMMENT ON COLUMN inventory.classified_discrepancy.reconciliation_id IS 'The run that found it';
COMMENT ON COLUMN inventory.classified_discrepancy.account_id IS 'RingCentral account, digits';
COMMENT ON COLUMN inventory.classified_discrepancy.phone_number_id IS
    'RingCentral''s id of the number; null: a file has it by its E.164 number alone';
COMMENT ON COLUMN inventory.classified_discrepancy.phone_number IS
    'E.164, as the source or else the inventory had it';
COMMENT ON COLUMN inventory.classified_discrepancy.finding IS
    'added, different, departed, deleted, missing or confirmed';
COMMENT ON COLUMN inventory.classified_discrepancy.class IS
    'initial load, missed event, late event (a notification of it came after the run), silent change, '
    'out-of-band, unexplained; null: not decided';
COMMENT ON COLUMN inventory.classified_discrepancy.expected IS 'Attributes in the inventory; null: not in it';
COMMENT ON COLUMN inventory.classified_discrepancy.found IS 'Attributes at the source; null: not there';
COMMENT ON COLUMN inventory.classified_discrepancy.seen_at IS 'The moment before the request that saw it';
COMMENT ON COLUMN inventory.classified_discrepancy.suppression_id IS 'What suppresses it';
COMMENT ON COLUMN inventory.classified_discrepancy.detail IS 'Why no more is known';
COMMENT ON COLUMN inventory.classified_discrepancy.position IS
    'The observation appended for it; null: none was';
COMMENT ON COLUMN inventory.classified_discrepancy.notification_position IS
    'The notification that was late; null: none came';
COMMENT ON COLUMN inventory.classified_discrepancy.late_seconds IS
    'How long after we had looked it was recorded';
