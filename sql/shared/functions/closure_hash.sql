-- change.closure_hash(objects): the hash of what a change touches and of what depends on it. An object is
-- a relation (crm.person), a function (crm.touch or crm.touch()), a schema or a role; one that does not
-- exist counts as absent, so that its coming into being voids the hash.
CREATE FUNCTION change.closure_hash(objects text[]) RETURNS text
LANGUAGE sql STABLE SET search_path = '' SET jit = off AS $$
WITH RECURSIVE asked AS (
	SELECT DISTINCT o FROM unnest(objects) o
), seed AS (
	SELECT 'pg_class'::regclass::oid AS classid, to_regclass(o)::oid AS objid FROM asked
		WHERE o !~ '[(]' AND to_regclass(o) IS NOT NULL
	UNION
	SELECT 'pg_proc'::regclass, p.oid FROM asked
		JOIN pg_proc p ON p.pronamespace::regnamespace::text || '.' || p.proname
			= regexp_replace(o, '[(].*', '')
	UNION
	SELECT 'pg_class'::regclass, c.oid FROM asked JOIN pg_class c ON c.relnamespace = to_regnamespace(o)
		WHERE o !~ '[(.]' AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
), touched (classid, objid) AS (
	SELECT classid, objid FROM seed
	UNION
	SELECT owner.classid, owner.objid
	FROM touched t
	JOIN pg_depend d ON d.refclassid = t.classid AND d.refobjid = t.objid
		AND d.deptype IN ('n', 'a', 'i', 'P', 'S')
	CROSS JOIN LATERAL (
		SELECT 'pg_class'::regclass::oid, coalesce((SELECT i.indrelid FROM pg_index i
			WHERE i.indexrelid = d.objid), d.objid) WHERE d.classid = 'pg_class'::regclass
		UNION ALL
		SELECT 'pg_class'::regclass, k.conrelid FROM pg_constraint k
			WHERE d.classid = 'pg_constraint'::regclass AND k.oid = d.objid AND k.conrelid <> 0
		UNION ALL
		SELECT 'pg_class'::regclass, g.tgrelid FROM pg_trigger g
			WHERE d.classid = 'pg_trigger'::regclass AND g.oid = d.objid
		UNION ALL
		SELECT 'pg_class'::regclass, w.ev_class FROM pg_rewrite w
			WHERE d.classid = 'pg_rewrite'::regclass AND w.oid = d.objid
		UNION ALL
		SELECT 'pg_class'::regclass, a.adrelid FROM pg_attrdef a
			WHERE d.classid = 'pg_attrdef'::regclass AND a.oid = d.objid
		UNION ALL
		SELECT 'pg_class'::regclass, y.polrelid FROM pg_policy y
			WHERE d.classid = 'pg_policy'::regclass AND y.oid = d.objid
		UNION ALL
		SELECT d.classid, d.objid WHERE d.classid = 'pg_proc'::regclass
	) AS owner (classid, objid)
), names AS (
	SELECT n.nspname || '.' || c.relname AS name FROM touched t JOIN pg_class c ON c.oid = t.objid
		JOIN pg_namespace n ON n.oid = c.relnamespace WHERE t.classid = 'pg_class'::regclass
	UNION
	SELECT n.nspname || '.' || p.proname FROM touched t JOIN pg_proc p ON p.oid = t.objid
		JOIN pg_namespace n ON n.oid = p.pronamespace WHERE t.classid = 'pg_proc'::regclass
	UNION
	SELECT regexp_replace(o, '[(].*', '') FROM asked
), lines AS (
	SELECT concat_ws(E'\x1f', l.class, l.id, l.definition) AS line
	FROM change.catalog_lines() l JOIN names ON names.name = l.object
	UNION ALL
	SELECT concat_ws(E'\x1f', 'absent', o) FROM asked
	WHERE NOT EXISTS (SELECT FROM change.catalog_lines() l
		WHERE l.object = regexp_replace(o, '[(].*', ''))
)
SELECT encode(sha256(coalesce(string_agg(sha256(convert_to(line, 'UTF8')), ''::bytea
	ORDER BY line COLLATE "C"), ''::bytea)), 'hex')
FROM lines
$$;
