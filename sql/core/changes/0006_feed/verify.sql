-- Each row is a failed assertion.
SELECT 'a column is published that the registry does not open: ' || p.tablename || '.' || a.name AS failure
FROM pg_publication_tables p CROSS JOIN LATERAL unnest(p.attnames) AS a (name)
WHERE p.pubname = 'bimodal_crm' AND p.tablename <> 'feed_control'
	AND NOT EXISTS (SELECT FROM change.published_columns() c
		WHERE c.table_name = p.tablename AND c.name = a.name)
UNION ALL
SELECT 'a column is not published: ' || c.table_name || '.' || c.name FROM change.published_columns() c
WHERE NOT EXISTS (SELECT FROM pg_publication_tables p WHERE p.pubname = 'bimodal_crm'
	AND p.schemaname = 'crm' AND p.tablename = c.table_name AND c.name = ANY (p.attnames))
UNION ALL
SELECT 'the feed role may read ' || n.nspname || '.' || c.relname || '.' || a.attname
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE n.nspname IN ('crm', 'change', 'access', 'flag', 'event') AND c.relkind IN ('r', 'p', 'v', 'm')
	AND has_column_privilege('bimodal_feed', c.oid, a.attnum, 'SELECT')
	AND NOT EXISTS (SELECT FROM pg_publication_tables p WHERE p.schemaname = n.nspname
		AND p.tablename = c.relname AND a.attname = ANY (p.attnames));
