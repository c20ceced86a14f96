-- Each row is a failed assertion.
SELECT 'the tokens here have no scopes' AS failure WHERE NOT EXISTS (SELECT FROM pg_attribute a
	WHERE a.attrelid = 'access.token_published'::regclass AND a.attname = 'scopes')
