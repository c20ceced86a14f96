-- Each row is a failed assertion.
SELECT 'what is kept may go to the sandbox' AS failure WHERE has_table_privilege('bimodal_feed', 'flag.sticky', 'SELECT')
UNION ALL
SELECT 'the app role may remove what is kept' WHERE has_table_privilege('bimodal_app', 'flag.sticky', 'DELETE, TRUNCATE')
UNION ALL
SELECT 'segments may go to the sandbox' WHERE has_table_privilege('bimodal_feed', 'flag.segment', 'SELECT')
UNION ALL
SELECT 'a flag that names a segment may go to the sandbox'
WHERE NOT flag.core_only('{"rules":[{"condition":{"id":{"$inGroup":"big"}}}]}')
