-- change.shape_arrived(): do the rows that have arrived in crm come from the shape that the registry here describes? The two travel apart.
CREATE FUNCTION change.shape_arrived() RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
SELECT coalesce((SELECT c.change_id = change.shape() FROM crm.feed_control c WHERE c.kind = 'shape' ORDER BY c.id DESC LIMIT 1), false)
	AND NOT EXISTS (SELECT FROM pg_subscription_rel r WHERE r.srsubstate NOT IN ('r', 's'))
$$;

-- change.projection_sql(): the statements that bring crm to the shape the replicated registry publishes: tables
-- with the key, missing columns, then what is listed no longer (never by CASCADE: what a feature still uses
-- stops the change, and not before the last row that may name it is in: to the
-- apply worker a row with a column that is gone is an error for good). An empty registry means that it has not arrived: nothing is done. Each cluster adds its
-- own steps in change.projection_local().
CREATE FUNCTION change.projection_sql() RETURNS TABLE (step int, sql text)
LANGUAGE sql STABLE SET search_path = '' AS $$
WITH listed AS (
	SELECT * FROM change.published_columns()
), present AS (
	SELECT c.relname AS table_name, a.attname AS name
	FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
	WHERE c.relnamespace = 'crm'::regnamespace AND c.relkind = 'r' AND c.relname <> 'feed_control'
	AND a.attnum > 0 AND NOT a.attisdropped AND EXISTS (SELECT FROM listed)
)
SELECT 1, format('CREATE TABLE IF NOT EXISTS crm.%I (', l.table_name)
	|| string_agg(format('%I %s', l.name, l.type), ', ' ORDER BY l.place)
	|| format(', PRIMARY KEY (%I))', min(l.name) FILTER (WHERE l.key))
FROM listed l WHERE NOT EXISTS (SELECT FROM present p WHERE p.table_name = l.table_name)
GROUP BY l.table_name
UNION ALL
SELECT 2, format('ALTER TABLE crm.%I ADD COLUMN IF NOT EXISTS %I %s', l.table_name, l.name, l.type)
FROM listed l WHERE EXISTS (SELECT FROM present p WHERE p.table_name = l.table_name)
	AND NOT EXISTS (SELECT FROM present p WHERE p.table_name = l.table_name AND p.name = l.name)
UNION ALL
SELECT 3, format('GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON crm.%I TO bimodal_apply', l.table_name)
FROM listed l WHERE l.key
UNION ALL
SELECT 4 + x.step, x.sql FROM change.projection_local() x WHERE EXISTS (SELECT FROM listed)
UNION ALL
SELECT 100, format('ALTER TABLE crm.%I DROP COLUMN IF EXISTS %I', p.table_name, p.name)
FROM present p WHERE change.shape_arrived() AND EXISTS (SELECT FROM listed l WHERE l.table_name = p.table_name)
	AND NOT EXISTS (SELECT FROM listed l WHERE l.table_name = p.table_name AND l.name = p.name)
UNION ALL
SELECT DISTINCT 101, format('DROP TABLE IF EXISTS crm.%I', p.table_name)
FROM present p WHERE change.shape_arrived() AND NOT EXISTS (SELECT FROM listed l WHERE l.table_name = p.table_name)
$$;

-- change.projection_apply() -> statements run.
CREATE FUNCTION change.projection_apply() RETURNS int
LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
	r record;
	n int := 0;
BEGIN
	FOR r IN SELECT x.sql FROM change.projection_sql() x ORDER BY x.step, x.sql LOOP
		EXECUTE r.sql;
		n := n + 1;
	END LOOP;
	RETURN n;
END $$;
