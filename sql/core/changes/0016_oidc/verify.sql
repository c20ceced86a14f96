-- Each row is a failed assertion.
SELECT 'the app role may write ' || t AS failure
FROM unnest(ARRAY['access.identity', 'access.oidc_flow', 'access.role_grant']) t
WHERE has_table_privilege('bimodal_app', t, 'INSERT, UPDATE, DELETE, TRUNCATE')
UNION ALL
SELECT 'the app role may read access.oidc_flow' WHERE has_any_column_privilege('bimodal_app', 'access.oidc_flow', 'SELECT')
UNION ALL
SELECT 'the feed role may read ' || t
FROM unnest(ARRAY['access.identity', 'access.oidc_flow']) t
WHERE has_any_column_privilege('bimodal_feed', t, 'SELECT')
UNION ALL
SELECT 'the app role may make sessions without a way in'
WHERE has_function_privilege('bimodal_app',
	'access.session_open(uuid, uuid, bytea, text, text, text, interval, interval, bytea, jsonb)', 'EXECUTE')
