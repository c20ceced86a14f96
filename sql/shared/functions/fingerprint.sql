-- The fingerprint of the catalog: a sorted line an object, and one hash over their hashes.
CREATE FUNCTION change.fingerprint_lines() RETURNS TABLE (class text, id text, definition text)
LANGUAGE sql STABLE SET search_path = '' SET jit = off AS $$
SELECT c.class, c.id, coalesce(c.definition, '') FROM change.catalog_lines() c
ORDER BY c.class COLLATE "C", c.id COLLATE "C", c.definition COLLATE "C"
$$;

CREATE FUNCTION change.fingerprint() RETURNS text
LANGUAGE sql STABLE SET search_path = '' SET jit = off AS $$
SELECT encode(sha256(coalesce(string_agg(sha256(convert_to(concat_ws(E'\x1f', l.class, l.id, l.definition),
	'UTF8')), ''::bytea ORDER BY l.class COLLATE "C", l.id COLLATE "C", l.definition COLLATE "C"),
	''::bytea)), 'hex')
FROM change.fingerprint_lines() l
$$;
