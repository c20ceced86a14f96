-- Each row is a failed assertion.
SELECT 'the app role may order slots past the list of names' AS failure
	WHERE has_table_privilege('bimodal_app', 'change.feed_resync', 'INSERT, UPDATE, DELETE, TRUNCATE')
	OR has_function_privilege('bimodal_app', 'change.feed_resync_begin(text, text)', 'EXECUTE')
	OR has_function_privilege('bimodal_app', 'change.feed_resync_end(text, text)', 'EXECUTE')
