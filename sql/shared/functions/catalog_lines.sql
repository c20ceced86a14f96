-- change.catalog_lines(): one line an object of the catalog, for the fingerprint and the closure.
-- object is the relation, function, schema or role the line belongs to. Independent of OIDs, attribute
-- numbers, settings of the session and the order of creation. Partitions of one parent are one line: the set
-- of their distinct shapes, so that a new month changes nothing and a hand-altered one does.
CREATE FUNCTION change.catalog_lines()
RETURNS TABLE (class text, object text, id text, definition text)
LANGUAGE plpgsql STABLE
SET search_path = '' SET timezone = 'UTC' SET datestyle = 'ISO, YMD' SET intervalstyle = 'iso_8601'
SET extra_float_digits = 1 SET bytea_output = 'hex' SET quote_all_identifiers = off SET jit = off
AS $$
#variable_conflict use_column
BEGIN
-- In PL/pgSQL for the sake of its plan, which a session keeps: it takes a sixth of the time.
RETURN QUERY WITH ns AS (
	SELECT oid, nspname, nspowner, nspacl FROM pg_namespace
	WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
), ext AS (
	SELECT classid, objid FROM pg_depend WHERE deptype = 'e'
), everyrel AS (
	SELECT c.*, n.nspname, n.nspname || '.' || c.relname AS name
	FROM pg_class c JOIN ns n ON n.oid = c.relnamespace
	WHERE NOT EXISTS (SELECT FROM ext WHERE classid = 'pg_class'::regclass AND objid = c.oid)
), rel AS (
	SELECT * FROM everyrel WHERE NOT relispartition
), acl AS (
	SELECT c.oid, coalesce((SELECT string_agg(x::text, ',' ORDER BY x::text COLLATE "C")
		FROM unnest(coalesce(c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner))) x), '') AS acl
	FROM everyrel c
)
SELECT 'schema', nspname::text, nspname::text, 'owner=' || pg_get_userbyid(nspowner) || ' acl='
	|| coalesce((SELECT string_agg(x::text, ',' ORDER BY x::text COLLATE "C")
		FROM unnest(nspacl) x), '')
FROM ns
UNION ALL
SELECT 'relation', name, name, concat_ws(' ', relkind, relpersistence,
	'owner=' || pg_get_userbyid(relowner), 'ri=' || relreplident::text,
	'rls=' || relrowsecurity::text || relforcerowsecurity::text,
	'am=' || (SELECT amname FROM pg_am WHERE oid = relam),
	'opt=' || (SELECT string_agg(x, ',' ORDER BY x COLLATE "C") FROM unnest(reloptions) x),
	'part=' || pg_get_partkeydef(rel.oid), 'acl=' || acl.acl)
FROM rel JOIN acl USING (oid) WHERE relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
UNION ALL
SELECT 'partitions', p.name, p.name, string_agg(DISTINCT encode(sha256(convert_to(s.shape, 'UTF8')), 'hex'),
	',' ORDER BY encode(sha256(convert_to(s.shape, 'UTF8')), 'hex'))
FROM rel p JOIN pg_inherits h ON h.inhparent = p.oid
JOIN everyrel c ON c.oid = h.inhrelid
CROSS JOIN LATERAL (SELECT concat_ws(' ', pg_get_userbyid(c.relowner), c.relreplident, c.relpersistence,
	(SELECT acl.acl FROM acl WHERE acl.oid = c.oid),
	(SELECT string_agg(concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
		pg_get_expr(d.adbin, d.adrelid), a.attacl::text), ',' ORDER BY a.attnum)
	FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
	WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
	(SELECT string_agg(x.line, ',' ORDER BY x.line COLLATE "C")
	FROM (SELECT concat_ws(' ', i.indisunique, i.indisprimary, i.indisvalid, i.indisreplident,
		pg_get_expr(i.indpred, i.indrelid), (SELECT string_agg(pg_get_indexdef(i.indexrelid, k, true),
		',' ORDER BY k) FROM generate_series(1, i.indnatts) k)) AS line
	FROM pg_index i WHERE i.indrelid = c.oid) x),
	(SELECT string_agg(concat_ws(' ', k.contype, pg_get_constraintdef(k.oid), k.convalidated),
		',' ORDER BY concat_ws(' ', k.contype, pg_get_constraintdef(k.oid)) COLLATE "C")
	FROM pg_constraint k WHERE k.conrelid = c.oid),
	(SELECT string_agg(concat_ws(' ', t.tgname, t.tgtype, t.tgenabled, t.tgfoid::regprocedure::text,
		encode(t.tgargs, 'hex')), ',' ORDER BY t.tgname)
	FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal)) AS shape) s
WHERE p.relkind = 'p'
GROUP BY p.name
UNION ALL
SELECT 'column', name, name || '.' || attname, concat_ws(' ',
	'#' || row_number() OVER (PARTITION BY attrelid ORDER BY attnum),
	format_type(atttypid, atttypmod), CASE WHEN attnotnull THEN 'not null' END,
	'def=' || pg_get_expr(adbin, adrelid), 'idn=' || attidentity::text, 'gen=' || attgenerated::text,
	'st=' || attstorage::text, 'cmp=' || attcompression::text,
	'coll=' || (SELECT cn.nspname || '.' || co.collname FROM pg_collation co
		JOIN pg_namespace cn ON cn.oid = co.collnamespace WHERE co.oid = attcollation),
	'acl=' || (SELECT string_agg(x::text, ',' ORDER BY x::text COLLATE "C") FROM unnest(attacl) x))
FROM rel JOIN pg_attribute a ON a.attrelid = rel.oid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE relkind IN ('r', 'p', 'f', 'c') AND attnum > 0 AND NOT attisdropped
UNION ALL
SELECT 'constraint', name, name || '.' || conname, pg_get_constraintdef(k.oid) || ' valid=' || convalidated
FROM rel JOIN pg_constraint k ON k.conrelid = rel.oid
-- A foreign key to a partitioned table has one more row for each partition.
WHERE k.conparentid = 0
UNION ALL
SELECT 'domain constraint', t.oid::regtype::text, t.oid::regtype::text || '.' || conname,
	pg_get_constraintdef(k.oid) || ' valid=' || convalidated
FROM pg_constraint k JOIN pg_type t ON t.oid = k.contypid JOIN ns ON ns.oid = t.typnamespace
UNION ALL
SELECT 'index', t.name, rel.name, pg_get_indexdef(i.indexrelid) || concat_ws(' ', ' valid=' || indisvalid,
	'ri=' || indisreplident, 'cl=' || indisclustered)
FROM rel JOIN pg_index i ON i.indexrelid = rel.oid JOIN rel t ON t.oid = i.indrelid
UNION ALL
SELECT 'view', name, name, pg_get_viewdef(oid) FROM rel WHERE relkind IN ('v', 'm')
UNION ALL
SELECT 'sequence', name, name, concat_ws(' ', seqtypid::regtype, seqstart, seqincrement, seqmin, seqmax,
	seqcache, seqcycle)
FROM rel JOIN pg_sequence ON seqrelid = rel.oid
UNION ALL
SELECT 'trigger', name, name || '.' || tgname, pg_get_triggerdef(t.oid) || ' enabled=' || tgenabled::text
FROM rel JOIN pg_trigger t ON t.tgrelid = rel.oid WHERE NOT tgisinternal
UNION ALL
SELECT 'rule', name, name || '.' || rulename, pg_get_ruledef(r.oid) || ' enabled=' || ev_enabled::text
FROM rel JOIN pg_rewrite r ON r.ev_class = rel.oid WHERE rulename <> '_RETURN'
UNION ALL
SELECT 'policy', name, name || '.' || polname, concat_ws(' ', polcmd, polpermissive,
	(SELECT string_agg(coalesce(rolname, 'public'), ',' ORDER BY rolname COLLATE "C")
		FROM unnest(polroles) p LEFT JOIN pg_roles r ON r.oid = p),
	pg_get_expr(polqual, polrelid), '|', pg_get_expr(polwithcheck, polrelid))
FROM rel JOIN pg_policy ON polrelid = rel.oid
UNION ALL
SELECT 'function', ns.nspname || '.' || p.proname, p.oid::regprocedure::text,
	CASE WHEN prokind = 'a' THEN 'aggregate ' || (SELECT concat_ws(' ', aggtransfn, aggfinalfn,
		aggtranstype::regtype) FROM pg_aggregate WHERE aggfnoid = p.oid)
	ELSE pg_get_functiondef(p.oid) END
	|| ' owner=' || pg_get_userbyid(proowner)
	|| ' acl=' || coalesce((SELECT string_agg(x::text, ',' ORDER BY x::text COLLATE "C")
		FROM unnest(proacl) x), '')
FROM pg_proc p JOIN ns ON ns.oid = pronamespace
WHERE NOT EXISTS (SELECT FROM ext WHERE classid = 'pg_proc'::regclass AND objid = p.oid)
UNION ALL
SELECT 'type', t.oid::regtype::text, t.oid::regtype::text, concat_ws(' ', typtype,
	CASE WHEN typtype = 'e' THEN (SELECT string_agg(quote_literal(enumlabel), ',' ORDER BY enumsortorder)
		FROM pg_enum WHERE enumtypid = t.oid) END,
	CASE WHEN typtype = 'd' THEN format_type(typbasetype, typtypmod) || ' nn=' || typnotnull
		|| ' def=' || coalesce(typdefault, '') END)
FROM pg_type t JOIN ns ON ns.oid = typnamespace
WHERE typtype IN ('e', 'd', 'r', 'm')
	OR (typtype = 'c' AND (SELECT relkind FROM pg_class WHERE oid = typrelid) = 'c')
UNION ALL
SELECT 'statistics', ns.nspname || '.' || stxname, ns.nspname || '.' || stxname,
	pg_get_statisticsobjdef(s.oid)
FROM pg_statistic_ext s JOIN ns ON ns.oid = stxnamespace
UNION ALL
SELECT 'extension', extname::text, extname::text, extversion FROM pg_extension
UNION ALL
SELECT 'publication', pubname::text, pubname::text, concat_ws(' ', pg_get_userbyid(pubowner), puballtables,
	pubinsert, pubupdate, pubdelete, pubtruncate, pubviaroot)
FROM pg_publication
UNION ALL
SELECT 'published table', schemaname || '.' || tablename, pubname || ':' || schemaname || '.' || tablename,
	concat_ws(' ', (SELECT string_agg(x, ',' ORDER BY x COLLATE "C") FROM unnest(attnames) x),
	'where', rowfilter)
FROM pg_publication_tables
UNION ALL
SELECT 'event trigger', evtname::text, evtname::text, concat_ws(' ', evtevent, evtfoid::regprocedure,
	evtenabled, evttags)
FROM pg_event_trigger
UNION ALL
SELECT 'role', rolname::text, rolname::text, concat_ws(' ', rolsuper, rolinherit, rolcreaterole,
	rolcreatedb, rolcanlogin, rolreplication, rolbypassrls, rolconnlimit,
	'set=' || (SELECT string_agg(x, ',' ORDER BY x COLLATE "C") FROM unnest(rolconfig) x),
	'in=' || (SELECT string_agg(g.rolname || CASE WHEN m.admin_option THEN '*' ELSE '' END, ','
		ORDER BY g.rolname COLLATE "C")
		FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid WHERE m.member = r.oid))
FROM pg_roles r WHERE rolname ~ '^(bimodal|feature)_' AND rolname <> 'bimodal_rehearsal'
UNION ALL
SELECT 'setting', coalesce(r.rolname, '*'), coalesce(r.rolname, '*'),
	(SELECT string_agg(x, ',' ORDER BY x COLLATE "C") FROM unnest(setconfig) x WHERE x !~ '^bimodal[.]')
FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = setrole
WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
	-- What the installation notes about itself is not the catalog's shape.
	AND EXISTS (SELECT FROM unnest(setconfig) x WHERE x !~ '^bimodal[.]')
UNION ALL
SELECT 'default acl', pg_get_userbyid(defaclrole), concat_ws(':', pg_get_userbyid(defaclrole),
	(SELECT nspname FROM pg_namespace WHERE oid = defaclnamespace), defaclobjtype),
	(SELECT string_agg(x::text, ',' ORDER BY x::text COLLATE "C") FROM unnest(defaclacl) x)
FROM pg_default_acl;
END $$;
