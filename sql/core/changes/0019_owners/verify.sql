-- Each row is a failed assertion.
SELECT 'a table has owners that hand-over does not find: ' || a.attrelid::regclass AS failure
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE a.attname IN ('business_owner', 'technical_owner') AND c.relkind IN ('r', 'p') AND NOT a.attisdropped
	AND n.nspname !~ '^(pg_|feature_)' AND NOT EXISTS (SELECT FROM access.owned o JOIN pg_trigger t ON t.tgname = 'owner_pair'
		AND t.tgrelid = a.attrelid WHERE to_regclass(o.relation) = a.attrelid AND o.holds = 'id')
UNION ALL
SELECT 'owners may be missing: ' || c.attrelid::regclass || '.' || c.attname
FROM pg_attribute c WHERE c.attrelid IN ('flag.flag'::regclass, 'change.request'::regclass, 'change.feature'::regclass)
	AND c.attname IN ('business_owner', 'technical_owner') AND NOT c.attnotnull
