-- Each row is a failed assertion. The registry and the catalog say the same.
SELECT 'not in the catalog: ' || r.table_name || '.' || f.name || ' ' || f.type AS failure
FROM change.resource r JOIN change.field f ON f.resource = r.name
WHERE NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = to_regclass('crm.' || r.table_name)
	AND a.attname = f.name AND format_type(a.atttypid, a.atttypmod) = f.type AND NOT a.attisdropped)
UNION ALL
SELECT 'not in the registry: ' || r.table_name || '.' || a.attname
FROM change.resource r JOIN pg_attribute a ON a.attrelid = to_regclass('crm.' || r.table_name)
WHERE a.attnum > 0 AND NOT a.attisdropped
	AND NOT EXISTS (SELECT FROM change.field f WHERE f.resource = r.name AND f.name = a.attname)
UNION ALL
SELECT 'no trigger writes the events of crm.' || r.table_name FROM change.resource r
WHERE NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = to_regclass('crm.' || r.table_name)
	AND t.tgfoid = 'event.record'::regproc AND t.tgenabled = 'O');
