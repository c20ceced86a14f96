-- Each row is a failed assertion.
SELECT 'the app role may not keep replies of idempotent requests' AS failure
	WHERE NOT has_table_privilege('bimodal_app', 'event.idempotency', 'SELECT')
	OR NOT has_table_privilege('bimodal_app', 'event.idempotency', 'INSERT')
UNION ALL
SELECT 'the app role may change or remove kept replies'
	WHERE has_table_privilege('bimodal_app', 'event.idempotency', 'UPDATE, DELETE, TRUNCATE')
UNION ALL
SELECT 'the app role may let kept replies expire'
	WHERE has_function_privilege('bimodal_app', 'event.idempotency_expire()', 'EXECUTE')
UNION ALL
SELECT 'the key is not (principal, route, key)'
	WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_constraint
		WHERE conrelid = 'event.idempotency'::pg_catalog.regclass AND contype = 'p'
		AND pg_catalog.array_length(conkey, 1) = 3)
