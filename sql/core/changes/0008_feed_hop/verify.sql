-- Each row is a failed assertion.
SELECT 'the app role may write what the jobs saw of the feed' AS failure
	WHERE has_table_privilege('bimodal_app', 'change.feed_hop', 'INSERT, UPDATE, DELETE, TRUNCATE')
