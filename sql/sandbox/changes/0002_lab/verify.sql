-- Each row is a failed assertion.
SELECT 'lab.position has no row' AS failure WHERE NOT EXISTS (SELECT FROM lab.position)
UNION ALL
SELECT 'the control trigger does not fire in the apply worker' WHERE NOT EXISTS (SELECT FROM pg_trigger
	WHERE tgrelid = 'crm.feed_control'::regclass AND tgname = 'control' AND tgenabled = 'A');
