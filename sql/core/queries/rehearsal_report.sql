-- rehearsal_report.sql — what the probes have found, after up.
-- lane slow
-- prepare lazy
-- out statements json, lines json, objects text (an array), fingerprint text, stop text (null: none), risk json
create temporary table line1 as select class, object, id, coalesce(definition, '') as definition from change.catalog_lines();
with gone as (
	select * from pg_temp.line0 except select * from pg_temp.line1
), came as (
	select * from pg_temp.line1 except select * from pg_temp.line0
), diff as (
	select coalesce(g.class, c.class) as class, coalesce(g.object, c.object) as object, coalesce(g.id, c.id) as id,
	       case when g.id is null then 'added' when c.id is null then 'removed' else 'altered' end as what,
	       left(g.definition, 1000) as before, left(c.definition, 1000) as after
	  from gone g full join came c on c.class = g.class and c.id = g.id and c.object = g.object
), touched as (
	select object from diff where object !~ '^(change|pg_[a-z]+)[.]' and object <> 'bimodal_executor'
	union
	select relation from pg_temp.found f where f.what = 'lock' and f.relation ~ '^(crm|event|access|flag)[.]' and f.detail <> 'RowExclusiveLock'
	   and exists (select from pg_class c where c.oid = to_regclass(f.relation) and c.relkind in ('r', 'p', 'v', 'm'))
), bad as (
	select 'statement ' || f.n || ' rewrites ' || f.relation || ': everybody who reads or writes it would wait until it is done' as stop, 1 as o
	  from pg_temp.found f join pg_class c on c.oid = to_regclass(f.relation)
	 where f.what = 'rewrite' and c.relkind in ('r', 'm') and f.relation ~ '^(crm|event)[.]'
	union all
	select 'writes of ' || c.table_name || ' would fail: ' || c.error, 2 from change.canary() c
	union all
	select p.name || ' would silently leave the feed', 3 from pg_temp.published0 p
	 where not exists (select from pg_publication_tables t where t.schemaname || '.' || t.tablename = p.name)
	   and (p.name !~ '^crm[.]' or exists (select from change.published_columns() c where 'crm.' || c.table_name = p.name))
	union all
	select 'crm.' || c.table_name || '.' || c.name || ' is open in the registry, but there is no such column of type ' || c.type, 4
	  from change.published_columns() c
	 where not exists (select from pg_attribute a where a.attrelid = to_regclass('crm.' || quote_ident(c.table_name)) and a.attname = c.name
	       and format_type(a.atttypid, a.atttypmod) = c.type)
)
select (select json_agg(json_build_object('part', m.part, 'n', m.n, 'ms', round((extract(epoch from m.ended - m.begun) * 1000)::numeric, 1),
               'locks', (select coalesce(json_agg(json_build_object('relation', f.relation, 'mode', f.detail) order by f.relation, f.detail), '[]')
                           from pg_temp.found f where f.part = m.part and f.n = m.n and f.what = 'lock'),
               'rewrites', (select coalesce(json_agg(f.relation order by f.relation), '[]')
                              from pg_temp.found f where f.part = m.part and f.n = m.n and f.what = 'rewrite'),
               'scans', (select coalesce(json_agg(json_build_object('relation', f.relation, 'rows', f.detail::bigint)), '[]')
                           from pg_temp.found f where f.part = m.part and f.n = m.n and f.what = 'scan'))
               order by m.part desc, m.n) from pg_temp.measure m) as statements,
       (select coalesce(json_agg(json_build_object('class', d.class, 'id', d.id, 'what', d.what, 'before', d.before, 'after', d.after)
               order by d.class, d.id), '[]') from diff d) as lines,
       (select coalesce(array_agg(t.object order by t.object), '{}')::text from touched t) as objects,
       pg_temp.fingerprint_of('pg_temp.line1') as fingerprint,
       (select b.stop from bad b order by b.o, b.stop limit 1) as stop,
       (select json_build_object('exclusive', count(*) filter (where f.what = 'lock' and f.detail = 'AccessExclusiveLock'),
               'blocks_writes', count(*) filter (where f.what = 'lock' and f.detail in ('ShareLock', 'ShareRowExclusiveLock')),
               'rewrites', count(*) filter (where f.what = 'rewrite'), 'scans', count(*) filter (where f.what = 'scan'),
               'drops', (select count(*) from diff d where d.what = 'removed' and d.class in ('column', 'relation')),
               'publication', (select count(*) from diff d where d.class = 'published table')) from pg_temp.found f) as risk
