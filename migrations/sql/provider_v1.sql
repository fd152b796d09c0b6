CREATE VIEW inventory.provider AS
SELECT
    account_id,
    provider_id,
    (array_agg(provider_name ORDER BY valid_from DESC, opened_by DESC) FILTER (WHERE provider_name IS NOT NULL))[1]
        AS provider_name,
    count(*) FILTER (WHERE valid_to IS NULL) AS numbers,
    greatest(max(valid_from), max(valid_to)) AS last_changed_at
FROM inventory.contact_center_number_version
GROUP BY account_id, provider_id;

COMMENT ON VIEW inventory.provider IS
    'Contact Center providers of each account: every one that ever had a number';
COMMENT ON COLUMN inventory.provider.account_id IS 'RingCentral account, digits';
COMMENT ON COLUMN inventory.provider.provider_id IS 'RingCentral''s id of it; null: none named, RingCentral then means 1';
COMMENT ON COLUMN inventory.provider.provider_name IS 'The latest name seen; one id comes with several';
COMMENT ON COLUMN inventory.provider.numbers IS 'Numbers it has now';
COMMENT ON COLUMN inventory.provider.last_changed_at IS 'When one of its numbers last changed, came or went';
