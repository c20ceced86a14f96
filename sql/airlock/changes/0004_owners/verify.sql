-- Each row is a failed assertion.
SELECT 'the owners of flags are not published' AS failure WHERE NOT EXISTS (SELECT FROM pg_publication_tables p
	WHERE p.pubname = 'bimodal_registry' AND p.schemaname = 'flag' AND p.tablename = 'flag'
	AND p.attnames::text[] @> ARRAY['business_owner', 'technical_owner'])
