-- change.publish_sql(): the statements that bring publications and column grants to what the registry says.
-- SET TABLE replaces the lists of all tables of a publication at once; nothing is published by a wildcard.
CREATE FUNCTION change.publish_sql() RETURNS TABLE (step int, sql text)
LANGUAGE sql STABLE SET search_path = '' AS $$
WITH fixed (publication, relation, columns, filter) AS (VALUES
	('bimodal_registry', 'change.resource', 'name, singular, table_name, parent, parent_field,'
		' person_field, published, label, position', NULL),
	('bimodal_registry', 'change.field', 'resource, name, position, type, class, kind, required,'
		' writable, filterable, sortable, reference, choices, max_length, help', NULL),
	('bimodal_registry', 'change.ledger', 'seq, at, kind, ref, body_hash, prev, hash', NULL),
	('bimodal_registry', 'flag.flag', 'key, kind, business_owner, technical_owner, expires_at, revision,'
		' archived_at', NULL),
	('bimodal_registry', 'flag.revision', 'revision, key, document, enabled, core_only',
		'NOT core_only'),
	('bimodal_registry', 'flag.state', 'one, generation', NULL),
	('bimodal_registry', 'access.token_published', 'hash, principal, roles, scopes, expires_at', NULL),
	('bimodal_crm', 'crm.feed_control', 'id, kind, at, lsn, change_id', NULL)
), tables AS (
	SELECT * FROM fixed
	UNION ALL
	SELECT 'bimodal_crm', format('crm.%I', c.table_name),
		string_agg(quote_ident(c.name), ', ' ORDER BY c.place),
		CASE WHEN bool_or(c.filtered) THEN 'lab_ok' END
	FROM change.published_columns() c GROUP BY c.table_name
)
SELECT 1, format('ALTER PUBLICATION %I SET TABLE ', publication) || string_agg(format('%s (%s)', relation, columns)
	|| coalesce(' WHERE (' || filter || ')', ''), ', ' ORDER BY relation COLLATE "C")
FROM tables GROUP BY publication
UNION ALL
SELECT 2, format('REVOKE ALL ON %I.%I FROM bimodal_feed, bimodal_feature', n.nspname, c.relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname IN ('change', 'access', 'flag', 'crm', 'event') AND c.relkind IN ('r', 'p', 'v', 'm')
	AND NOT c.relispartition
UNION ALL
SELECT 3, format('GRANT SELECT (%s) ON %s TO bimodal_feed', columns, relation) FROM tables
UNION ALL
SELECT 4, format('GRANT SELECT (%s) ON %s TO bimodal_feature', columns, relation) FROM tables
WHERE relation ~ '^crm[.]' AND relation <> 'crm.feed_control'
$$;
