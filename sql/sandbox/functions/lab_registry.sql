-- lab.registry_hash(): the published shape that the replicated registry describes; NULL while it is empty.
CREATE FUNCTION lab.registry_hash() RETURNS text
LANGUAGE sql STABLE SET search_path = '' AS $$
SELECT encode(sha256(convert_to(string_agg(concat_ws('|', c.table_name, c.name, c.type, c.key), ';' ORDER BY c.table_name, c.name), 'UTF8')), 'hex')
	|| (SELECT md5(coalesce(string_agg(f::text, ';' ORDER BY f.resource, f.name), '')
		|| coalesce((SELECT string_agg(r::text, ';' ORDER BY r.name) FROM change.resource r), '')) FROM change.field f)
FROM change.published_columns() c
HAVING count(*) > 0
$$;

-- lab.registry_followed(): has crm been brought to the registry that has arrived?
CREATE FUNCTION lab.registry_followed() RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
SELECT coalesce((SELECT r.hash = lab.registry_hash() FROM lab.registry r), false)
$$;
