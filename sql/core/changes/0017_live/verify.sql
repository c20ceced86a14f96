-- Each row is a failed assertion.
SELECT 'the workers cannot read how far the log was followed' AS failure
WHERE NOT has_table_privilege('bimodal_app', 'notice.state', 'SELECT')
UNION ALL
SELECT 'a role of the workers may write ' || t
FROM unnest(ARRAY['notice.state', 'event.log']) t WHERE has_table_privilege('bimodal_app', t, 'INSERT, UPDATE, DELETE')
UNION ALL
SELECT 'the index of notices that are done is missing'
WHERE to_regclass('notice.notice_done') IS NULL
