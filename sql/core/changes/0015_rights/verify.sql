-- Each row is a failed assertion.
SELECT 'everybody may call ' || f AS failure
FROM unnest(ARRAY['access.refused(jsonb, uuid)', 'crm.person_resolve(uuid, text, text[])']) f
WHERE has_function_privilege('bimodal_feed', f, 'EXECUTE') OR has_function_privilege('bimodal_feature', f, 'EXECUTE')
UNION ALL
SELECT 'a change of members is not told'
WHERE NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = 'access.membership'::regclass AND tgname = 'changed')
