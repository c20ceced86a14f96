-- Each row is a failed assertion.
SELECT 'the ledger is broken at ' || seq AS failure FROM change.ledger_broken
UNION ALL
SELECT 'change.state has no row' WHERE NOT EXISTS (SELECT FROM change.state)
UNION ALL
SELECT 'the app role may write the ledger'
	WHERE has_table_privilege('bimodal_app', 'change.ledger', 'INSERT, UPDATE, DELETE, TRUNCATE')
UNION ALL
SELECT 'the fingerprint is not one hash' WHERE change.fingerprint() !~ '^[0-9a-f]{64}$';
