-- change.unpublish(): takes out of the feed what the registry opens no longer, and adds nothing. It runs before a column goes (a listed
-- one cannot be dropped), while change.publish() waits until the airlock has the new columns. SET TABLE replaces all lists at once.
CREATE FUNCTION change.unpublish() RETURNS void
LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
	v_sql text;
	r record;
BEGIN
	FOR r IN SELECT p.tablename, string_agg(quote_ident(a.name), ', ') AS columns
		FROM pg_publication_tables p CROSS JOIN LATERAL unnest(p.attnames) AS a (name)
		WHERE p.pubname = 'bimodal_crm' AND p.tablename <> 'feed_control' AND NOT EXISTS (SELECT FROM change.published_columns() c
			WHERE c.table_name = p.tablename AND c.name = a.name)
		GROUP BY p.tablename
	LOOP
		EXECUTE format('REVOKE SELECT (%s) ON crm.%I FROM bimodal_feed, bimodal_feature', r.columns, r.tablename);
		v_sql := '';
	END LOOP;
	IF v_sql IS NULL THEN
		RETURN;
	END IF;
	SELECT 'ALTER PUBLICATION bimodal_crm SET TABLE ' || string_agg(t.list, ', ') INTO v_sql FROM (
		SELECT format('crm.%I (%s)', p.tablename, string_agg(quote_ident(a.name), ', ' ORDER BY a.place))
			|| coalesce(' WHERE (' || p.rowfilter || ')', '') AS list
		FROM pg_publication_tables p CROSS JOIN LATERAL unnest(p.attnames) WITH ORDINALITY AS a (name, place)
		WHERE p.pubname = 'bimodal_crm' AND (p.tablename = 'feed_control' OR EXISTS (SELECT FROM change.published_columns() c
			WHERE c.table_name = p.tablename AND c.name = a.name))
		GROUP BY p.tablename, p.rowfilter) t;
	EXECUTE v_sql;
END $$;
