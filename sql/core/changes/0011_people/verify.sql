-- Each row is a failed assertion.
SELECT 'the app role may write ' || t AS failure
FROM unnest(ARRAY['access.principal', 'access.role_grant', 'access.team', 'access.membership', 'access.token', 'access.owned',
	'access.ending']) t
WHERE has_table_privilege('bimodal_app', t, 'INSERT, UPDATE, DELETE, TRUNCATE')
UNION ALL
SELECT 'the feed role may read ' || t
FROM unnest(ARRAY['access.principal', 'access.team', 'access.membership', 'access.token', 'access.owned']) t
WHERE has_any_column_privilege('bimodal_feed', t, 'SELECT')
UNION ALL
SELECT 'what is listed as owned is not there: ' || o.relation || '.' || c.name
FROM access.owned o CROSS JOIN LATERAL unnest(ARRAY[o.key, o.business, o.technical]) AS c (name)
WHERE c.name IS NOT NULL AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = to_regclass(o.relation) AND a.attname = c.name)
