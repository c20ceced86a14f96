-- Each row is a failed assertion.
SELECT 'the app role may remove what is kept' AS failure WHERE has_table_privilege('bimodal_app', 'lab.sticky', 'DELETE, TRUNCATE')
UNION ALL
SELECT 'a feature may read what is kept' WHERE has_table_privilege('bimodal_feature', 'lab.sticky', 'SELECT')
