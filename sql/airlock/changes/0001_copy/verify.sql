-- Each row is a failed assertion.
SELECT 'the publication ' || v.name || ' is missing' AS failure
FROM (VALUES ('bimodal_nothing'), ('bimodal_registry'), ('bimodal_crm')) AS v (name)
WHERE NOT EXISTS (SELECT FROM pg_publication p WHERE p.pubname = v.name AND p.pubtruncate);
