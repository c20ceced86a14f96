-- change.published_columns(): what may leave core, from the registry alone: the open fields, and the
-- identity columns the copy is joined and filtered on. Core's lists, the feed role's grants and the
-- tables of airlock and sandbox all come from here.
CREATE FUNCTION change.published_columns() RETURNS TABLE (table_name text, name text, type text,
	place int, key boolean, filtered boolean)
LANGUAGE sql STABLE SET search_path = '' AS $$
SELECT r.table_name, f.name, f.type, f.position,
	f.name = CASE WHEN r.person_field = 'id' THEN 'pseudonym' ELSE 'id' END,
	r.person_field IS NOT NULL
FROM change.resource r JOIN change.field f ON f.resource = r.name
WHERE r.published AND (f.class = 'open' OR f.name IN ('pseudonym', 'person_pseudonym'))
ORDER BY r.position, f.position
$$;

-- change.shape(): what the registry opens, as one name for it: equal on two servers that have the same registry.
CREATE FUNCTION change.shape() RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
SELECT md5(coalesce(string_agg(concat_ws(' ', c.table_name, c.name, c.type, c.place, c.key, c.filtered), ','
	ORDER BY c.table_name, c.name), ''))::uuid FROM change.published_columns() c
$$;
