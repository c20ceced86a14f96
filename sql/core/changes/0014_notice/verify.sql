-- Each row is a failed assertion.
SELECT 'the app role may read the secrets of webhooks' AS failure WHERE has_column_privilege('bimodal_app', 'webhook.secret', 'secret', 'SELECT')
UNION ALL
SELECT 'the feed role may read ' || t FROM unnest(ARRAY['webhook.secret', 'webhook.endpoint', 'notice.notice', 'notice.mail']) t
WHERE has_any_column_privilege('bimodal_feed', t, 'SELECT')
UNION ALL
SELECT 'the app role may write ' || t FROM unnest(ARRAY['notice.kind', 'notice.state', 'notice.mail', 'webhook.message', 'webhook.delivery',
	'webhook.attempt']) t WHERE has_table_privilege('bimodal_app', t, 'INSERT, UPDATE, DELETE, TRUNCATE')
UNION ALL
SELECT 'the kind ' || k.name || ' takes "' || f || '" from ' || k.source || ', which has no such column'
FROM notice.kind k, unnest(k.fields || k.source_key) f WHERE k.source IS NOT NULL AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a
	WHERE a.attrelid = k.source::regclass AND a.attname = f AND a.attnum > 0)
UNION ALL
SELECT 'the kind ' || k.name || ' has a template with a brace that names no field' FROM notice.kind k,
	unnest(ARRAY[k.subject, k.title, k.body, k.link, k.record]) t WHERE regexp_replace(t, '[{][a-z_]+[}]', '', 'g') ~ '[{}]'
