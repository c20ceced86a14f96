-- Each row is a failed assertion.
SELECT 'equal documents differ' AS failure WHERE flag.diff('{"rules":[1]}', '{"rules":[1]}') <> '[]'
UNION ALL
SELECT 'a change is not found' WHERE flag.diff('{"rules":[1]}', '{"rules":[2]}')
	<> '[{"op":"change","pointer":"/rules/0","before":1,"after":2}]'
UNION ALL
SELECT 'a draft may go to the sandbox' WHERE has_table_privilege('bimodal_feed', 'flag.draft', 'SELECT');
