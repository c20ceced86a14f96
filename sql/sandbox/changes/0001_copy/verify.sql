-- Each row is a failed assertion.
SELECT 'the app role may write ' || n.nspname || '.' || c.relname AS failure
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname IN ('crm', 'change', 'flag', 'access') AND c.relkind = 'r'
	AND has_table_privilege('bimodal_app', c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE');
