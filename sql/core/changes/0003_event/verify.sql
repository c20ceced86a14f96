-- Each row is a failed assertion.
SELECT 'the app role may write event.log' AS failure
	WHERE has_table_privilege('bimodal_app', 'event.log', 'INSERT, UPDATE, DELETE, TRUNCATE')
UNION ALL
SELECT 'event.log has fewer than two partitions'
	WHERE (SELECT count(*) FROM pg_inherits WHERE inhparent = 'event.log'::regclass) < 2;
