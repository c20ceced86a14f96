-- Each row is a failed assertion.
SELECT 'the workers'' role may write counts past their function' AS failure
WHERE has_table_privilege('bimodal_app', 'flag.asked', 'INSERT') OR has_table_privilege('bimodal_app', 'flag.stream', 'INSERT')
UNION ALL
SELECT 'who asks may go to the sandbox' WHERE has_table_privilege('bimodal_feed', 'flag.asked', 'SELECT')
	OR has_table_privilege('bimodal_feed', 'flag.stream', 'SELECT');
