-- Each row is a failed assertion.
SELECT 'the app role may read or write access.credential' AS failure
WHERE has_any_column_privilege('bimodal_app', 'access.credential', 'SELECT, INSERT, UPDATE')
UNION ALL
SELECT 'nobody is told of ' || o FROM unnest(ARRAY['password.reset', 'password.set']) o
WHERE NOT EXISTS (SELECT FROM notice.kind k WHERE o = ANY (k.ops))
UNION ALL
SELECT 'approvals are not judged' WHERE NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = 'change.approval'::regclass AND tgname = 'person')
