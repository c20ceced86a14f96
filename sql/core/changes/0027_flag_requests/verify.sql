-- Each row is a failed assertion.
SELECT 'a worker may write requests' AS failure WHERE has_table_privilege('bimodal_app', 'flag.request', 'INSERT')
	OR has_any_column_privilege('bimodal_app', 'flag.request', 'UPDATE')
UNION ALL
SELECT 'nobody is told of ' || o FROM unnest(ARRAY['flag.request', 'flag.approve', 'flag.reject']) o
WHERE NOT EXISTS (SELECT FROM notice.kind k WHERE o = ANY (k.ops))
UNION ALL
SELECT 'protected flags are not guarded' WHERE NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = 'flag.revision'::regclass
	AND tgname = 'protected')
UNION ALL
SELECT 'a request may go to the sandbox' WHERE has_table_privilege('bimodal_feed', 'flag.request', 'SELECT');
