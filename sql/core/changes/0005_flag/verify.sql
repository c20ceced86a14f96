-- Each row is a failed assertion.
SELECT 'flag.state has no row' AS failure WHERE NOT EXISTS (SELECT FROM flag.state)
UNION ALL
SELECT 'the app role may alter flag.revision'
	WHERE has_table_privilege('bimodal_app', 'flag.revision', 'UPDATE, DELETE, TRUNCATE');
