-- Each row is a failed assertion.
SELECT 'access.state has no row' AS failure WHERE NOT EXISTS (SELECT FROM access.state)
UNION ALL
SELECT 'the app role may write access.token_published'
	WHERE has_table_privilege('bimodal_app', 'access.token_published', 'INSERT, UPDATE, DELETE');
