-- Each row is a failed assertion.
SELECT 'the scopes of tokens are not published' AS failure WHERE NOT EXISTS (SELECT FROM pg_publication_tables p
	WHERE p.pubname = 'bimodal_registry' AND p.tablename = 'token_published' AND 'scopes' = ANY (p.attnames))
