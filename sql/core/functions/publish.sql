-- change.canary(): the published tables whose writes the present publications would stop, with the error. An
-- update or a delete that meets no row is enough: the check comes before the first row. Partitions are
-- tried one by one, because a write to one checks its own replica identity.
CREATE FUNCTION change.canary() RETURNS TABLE (table_name text, error text)
LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
	r record;
BEGIN
	FOR r IN SELECT t.relid AS oid, t.relid::regclass::text AS name, (SELECT quote_ident(a.attname)
			FROM pg_attribute a WHERE a.attrelid = t.relid AND a.attnum > 0 AND NOT a.attisdropped
			AND a.attgenerated = '' AND a.attidentity <> 'a' ORDER BY a.attnum LIMIT 1) AS col
		FROM (SELECT DISTINCT x.relid FROM pg_publication_rel p
			CROSS JOIN LATERAL (SELECT p.prrelid::regclass AS relid
				UNION SELECT relid FROM pg_partition_tree(p.prrelid)) x) t
		ORDER BY 2
	LOOP
		BEGIN
			EXECUTE format('UPDATE %1$s SET %2$s = %2$s WHERE false', r.name, r.col);
			EXECUTE format('DELETE FROM %s WHERE false', r.name);
		EXCEPTION WHEN OTHERS THEN
			table_name := r.name;
			error := sqlerrm;
			RETURN NEXT;
		END;
	END LOOP;
END $$;

-- change.publish(): brings publications and grants to the registry's shape, and refuses a result that would
-- stop core's writes.
CREATE FUNCTION change.publish() RETURNS void
LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
	r record;
BEGIN
	FOR r IN SELECT sql FROM change.publish_sql() ORDER BY step, sql LOOP
		EXECUTE r.sql;
	END LOOP;
	SELECT * INTO r FROM change.canary() LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'could not publish: writes of % would fail', r.table_name
			USING ERRCODE = 'CR006', DETAIL = r.error;
	END IF;
	PERFORM crm.feed_mark('shape', change.shape());
END $$;
