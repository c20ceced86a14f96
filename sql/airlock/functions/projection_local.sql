-- change.projection_local(): on the airlock the tables are published on, and the hop role reads them. No filter:
-- core's has been applied to every row.
CREATE FUNCTION change.projection_local() RETURNS TABLE (step int, sql text)
LANGUAGE sql STABLE SET search_path = '' AS $$
SELECT 1, format('GRANT SELECT ON crm.%I TO bimodal_hop', c.table_name)
FROM change.published_columns() c WHERE c.key
UNION ALL
SELECT 2, 'ALTER PUBLICATION bimodal_crm SET TABLE crm.feed_control (id, kind, at, lsn, change_id), '
	|| string_agg(t.list, ', ' ORDER BY t.list COLLATE "C")
FROM (SELECT format('crm.%I (%s)', c.table_name, string_agg(quote_ident(c.name), ', ' ORDER BY c.place)) AS list
	FROM change.published_columns() c GROUP BY c.table_name) t
$$;
