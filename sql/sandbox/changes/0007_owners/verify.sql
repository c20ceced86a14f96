-- Each row is a failed assertion.
SELECT 'a hypothesis may be without owners' AS failure WHERE EXISTS (SELECT FROM pg_attribute a
	WHERE a.attrelid = 'lab.hypothesis'::regclass AND a.attname IN ('business_name', 'technical_name') AND NOT a.attnotnull)
UNION ALL
SELECT 'the app role may move owners' WHERE has_function_privilege('bimodal_app', 'lab.owners_are(text, uuid, uuid, text, text)', 'EXECUTE')
