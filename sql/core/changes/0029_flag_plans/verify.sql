-- Each row is a failed assertion.
SELECT 'plans of protected flags are not refused: ' || t AS failure FROM unnest(ARRAY['flag.ramp', 'flag.schedule']) t
WHERE NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = t::regclass AND tgname = 'protected');
