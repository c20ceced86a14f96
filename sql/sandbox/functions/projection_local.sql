-- change.projection_local(): in the sandbox the tables are read by app and features, indexed for folding by unit, and
-- carry the one feed trigger, which must fire in the apply worker too.
CREATE FUNCTION change.projection_local() RETURNS TABLE (step int, sql text)
LANGUAGE sql STABLE SET search_path = '' AS $$
SELECT 1, format('GRANT SELECT ON crm.%I TO bimodal_app, bimodal_deployer, bimodal_feature', c.table_name)
FROM change.published_columns() c WHERE c.key
UNION ALL
SELECT 2, format('CREATE INDEX IF NOT EXISTS %I ON crm.%I (%I)', c.table_name || '_' || c.name, c.table_name, c.name)
FROM change.published_columns() c WHERE c.type = 'uuid' AND NOT c.key
UNION ALL
SELECT 3, format('CREATE OR REPLACE TRIGGER feed AFTER INSERT OR UPDATE OR DELETE ON crm.%I'
	' FOR EACH ROW EXECUTE FUNCTION lab.feed(%L)', c.table_name, coalesce((SELECT u.name
		FROM change.published_columns() u WHERE u.table_name = c.table_name
		AND u.name IN ('pseudonym', 'person_pseudonym')), ''))
FROM change.published_columns() c WHERE c.key
UNION ALL
SELECT 4, format('ALTER TABLE crm.%I ENABLE ALWAYS TRIGGER feed', c.table_name)
FROM change.published_columns() c WHERE c.key
$$;
