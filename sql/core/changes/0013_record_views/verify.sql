-- Each row is a failed assertion.
SELECT 'nothing is searched by crm.' || t AS failure FROM unnest(ARRAY['person', 'organization', 'opportunity', 'support_case']) t
WHERE NOT EXISTS (SELECT FROM pg_indexes WHERE schemaname = 'crm' AND tablename = t AND indexdef LIKE '%USING gin (crm.search_vector(%')
UNION ALL
SELECT 'a whole word, an address and a number are not found by their beginnings'
WHERE NOT (crm.search_vector('Ada', 'Lovelace', 'Ada.L@Example.org', '+43 (1) 23 45', 'X-1') @@ ALL (ARRAY[
	crm.search_query('love ad', true), crm.search_query('ada.l@ex', true), crm.search_query('+43 12', true),
	crm.search_query('x-1', false)]))
UNION ALL
SELECT 'the writes of saved views leave no event'
WHERE NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = 'views.saved'::regclass AND tgfoid = 'event.record'::regproc
	AND tgenabled = 'O');
