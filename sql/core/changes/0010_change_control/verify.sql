-- Each row is a failed assertion.
SELECT 'the app role may write ' || t AS failure
FROM unnest(ARRAY['change.request', 'change.approval', 'change.intent', 'change.state', 'change.accepted_line', 'change.feature']) t
WHERE has_table_privilege('bimodal_app', t, 'INSERT, UPDATE, DELETE, TRUNCATE')
UNION ALL
SELECT 'the feed role may read the features of core' WHERE has_any_column_privilege('bimodal_feed', 'change.feature', 'SELECT')
