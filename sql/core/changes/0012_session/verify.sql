-- Each row is a failed assertion.
SELECT 'the app role may read ' || t AS failure
FROM unnest(ARRAY['access.credential', 'access.password_reset', 'access.lockout']) t
WHERE has_any_column_privilege('bimodal_app', t, 'SELECT')
UNION ALL
SELECT 'the app role may write ' || t
FROM unnest(ARRAY['access.credential', 'access.password_reset', 'access.session', 'access.lockout']) t
WHERE has_table_privilege('bimodal_app', t, 'INSERT, UPDATE, DELETE, TRUNCATE')
UNION ALL
SELECT 'the feed role may read ' || t
FROM unnest(ARRAY['access.credential', 'access.password_reset', 'access.session', 'access.lockout']) t
WHERE has_any_column_privilege('bimodal_feed', t, 'SELECT')
