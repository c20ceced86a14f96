-- Each row is a failed assertion.
SELECT 'a flag has no team' AS failure WHERE NOT EXISTS (SELECT FROM pg_constraint
	WHERE conrelid = 'flag.flag'::regclass AND contype = 'f' AND confrelid = 'access.team'::regclass);
