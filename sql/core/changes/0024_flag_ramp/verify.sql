-- Each row is a failed assertion.
SELECT 'another coverage makes another rule' AS failure WHERE flag.rule_hash('{"force":"on","coverage":0.1}')
	<> flag.rule_hash(flag.rule_cover('{"rules":[{"force":"on"}]}', 0, 0.5) -> 'rules' -> 0)
UNION ALL
SELECT 'two rules of one id are one' WHERE flag.rule_place('{"rules":[{"id":"a"},{"id":"a"}]}', 'a', 0) IS NOT NULL
UNION ALL
SELECT 'the app role may write ' || t FROM unnest('{flag.ramp,flag.ramp_move,flag.schedule}'::text[]) t
	WHERE has_table_privilege('bimodal_app', t, 'INSERT, UPDATE, DELETE, TRUNCATE')
UNION ALL
SELECT 'the sandbox may see ' || t FROM unnest('{flag.ramp,flag.ramp_move,flag.schedule}'::text[]) t
	WHERE has_table_privilege('bimodal_feed', t, 'SELECT');
