-- Each row is a failed assertion.
SELECT 'the workers'' role may stop or start past the functions' AS failure
WHERE has_table_privilege('bimodal_app', 'flag.mode2', 'UPDATE') OR has_table_privilege('bimodal_app', 'flag.stopped', 'DELETE')
UNION ALL
SELECT 'Mode 2 has no state' WHERE (SELECT count(*) FROM flag.mode2) <> 1;
