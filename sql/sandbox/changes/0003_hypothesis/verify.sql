-- Each row is a failed assertion.
SELECT 'the app role may write lab.' || c.relname AS failure
FROM pg_catalog.pg_class c
WHERE c.relnamespace = 'lab'::regnamespace AND c.relkind = 'r' AND c.relname <> 'exposure'
	AND has_table_privilege('bimodal_app', c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
UNION ALL
SELECT r.role || ' may write lab.verdict' FROM (VALUES ('bimodal_app'), ('bimodal_deployer')) AS r(role)
WHERE has_table_privilege(r.role, 'lab.verdict', 'INSERT, UPDATE, DELETE, TRUNCATE')
UNION ALL
SELECT 'the app role may call the verdict''s function'
WHERE has_function_privilege('bimodal_app', 'lab.verdict_record(text, text, jsonb, text, text)', 'EXECUTE');
