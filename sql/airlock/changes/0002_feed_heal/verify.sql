-- Each row is a failed assertion.
SELECT 'others than the subscriptions'' owner may empty the copies: ' || r.rolname AS failure
FROM pg_roles r WHERE r.rolname IN ('bimodal_hop', 'bimodal_executor')
	AND has_function_privilege(r.oid, 'change.feed_empty(text)', 'EXECUTE')
