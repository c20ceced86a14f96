-- rehearsal_probe.sql — temporary tables and functions that measure each statement: locks on relations that were there before, relations
-- that got a new file, rows scanned, time. The place is a sequence, because it must outlive the rollback of a statement that fails.
-- lane slow
-- prepare lazy
create temporary sequence place minvalue 0;
create temporary table base as
	select c.oid, n.nspname || '.' || c.relname as name, c.relfilenode as filenode, 0::bigint as scanned
	  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
	 where n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and c.relkind in ('r', 'p', 'i', 'I', 'S', 'v', 'm');
create temporary table line0 as select class, object, id, coalesce(definition, '') as definition from change.catalog_lines();
-- As change.fingerprint() has it, over lines that have been read already. If the two did not agree, no ground would be as core's is.
create function pg_temp.fingerprint_of(lines regclass) returns text language plpgsql stable set search_path = '' as $$
declare
	found text;
begin
	execute format($q$select encode(sha256(coalesce(string_agg(sha256(convert_to(concat_ws(E'\x1f', class, id, definition), 'UTF8')), ''::bytea
		order by class collate "C", id collate "C", definition collate "C"), ''::bytea)), 'hex') from %s$q$, lines) into found;
	return found;
end $$;
create temporary table published0 as select schemaname || '.' || tablename as name from pg_catalog.pg_publication_tables;
create temporary table measure (part text, n int, begun timestamptz, ended timestamptz, primary key (part, n));
create temporary table found (part text, n int, what text, relation text, detail text);
create function pg_temp.probe_begin(p text, k int) returns void language plpgsql security definer set search_path = '' as $$
begin
	perform pg_catalog.setval('pg_temp.place', k);
	insert into pg_temp.measure (part, n, begun) values (p, k, clock_timestamp());
end $$;
create function pg_temp.probe_end(p text, k int) returns void language plpgsql security definer set search_path = '' as $$
begin
	update pg_temp.measure set ended = clock_timestamp() where part = p and n = k;
	insert into pg_temp.found
	select p, k, 'lock', b.name, l.mode from pg_catalog.pg_locks l join pg_temp.base b on b.oid = l.relation
	 where l.pid = pg_backend_pid() and l.locktype = 'relation' and l.granted and l.mode <> 'AccessShareLock'
	   and not exists (select from pg_temp.found f where f.part = p and f.what = 'lock' and f.relation = b.name and f.detail = l.mode);
	insert into pg_temp.found
	select p, k, 'rewrite', b.name, null from pg_temp.base b join pg_catalog.pg_class c on c.oid = b.oid where c.relfilenode <> b.filenode;
	insert into pg_temp.found
	select p, k, 'scan', b.name, (x.seq_tup_read - b.scanned)::text from pg_temp.base b join pg_catalog.pg_stat_xact_all_tables x
	    on x.relid = b.oid
	 where x.seq_tup_read - b.scanned > 100 and b.name ~ '^(crm|event)[.]';
	update pg_temp.base b set filenode = c.relfilenode,
	       scanned = coalesce((select x.seq_tup_read from pg_catalog.pg_stat_xact_all_tables x where x.relid = b.oid), 0)
	  from pg_catalog.pg_class c where c.oid = b.oid;
end $$
