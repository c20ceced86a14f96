-- Each row is a failed assertion.
SELECT 'nobody is told of flag.expiring' AS failure WHERE NOT EXISTS (SELECT FROM notice.kind k WHERE 'flag.expiring' = ANY (k.ops))
UNION ALL
SELECT 'a flag has no state' WHERE EXISTS (SELECT FROM flag.flag f WHERE coalesce(flag.lifecycle(f, 30), '')
	NOT IN ('new', 'live', 'stale', 'expired', 'archived'))
UNION ALL
SELECT 'the workers may tell of expiries' WHERE has_function_privilege('bimodal_app', 'flag.expiring(int[], int)', 'EXECUTE');
