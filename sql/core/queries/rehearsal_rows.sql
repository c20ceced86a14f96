-- rehearsal_rows.sql — made-up rows for every resource of the registry, in a rehearsal's database: enough that a rewrite or a scan shows;
-- bimodal.rehearsal_rows says how many of each. What a constraint refuses is left out; the other resources go on. A part comes right after
-- its whole: a consent that is given before the person has anything else leaves nothing to be written again.
-- lane slow
-- prepare lazy
do $rows$
declare
	r record;
	v_columns text;
	v_values text;
	v_spread int;
	v_rows int := current_setting('bimodal.rehearsal_rows');
begin
	create temporary table rehearsal_id (resource text, n int, id uuid, primary key (resource, n));
	for r in select x.*, c.oid as rel from change.resource x join pg_catalog.pg_class c on c.relname = x.table_name
		and c.relnamespace = 'crm'::regnamespace
		order by coalesce((select w.position + 0.5 from change.resource w where w.name = x.parent), x.position), x.position
	loop
		select coalesce(max(array_length(f.choices, 1)), 1) into v_spread from change.field f where f.resource = r.name;
		select string_agg(quote_ident(f.name), ', ' order by f.position),
			string_agg(case
				when f.reference is not null then format('(select p.id from pg_temp.rehearsal_id p where p.resource = %L and p.n = 1 + (i / %s) %% %s)',
					f.reference, case when f.name = r.parent_field then v_spread else 3 end, v_rows)
				when f.kind = 'enum' then format('(%L::text[])[1 + i %% %s]', f.choices, array_length(f.choices, 1))
				when f.kind = 'text' then format('left(%L || i, %s)', f.name || ' ', coalesce(f.max_length, 100))
				when f.kind = 'integer' then 'i'
				when f.kind = 'decimal' then '(i % 1000)'
				when f.kind = 'boolean' then '(i % 2 = 0)'
				when f.kind = 'date' then '(date ''2020-01-01'' + i % 1000)'
				when f.kind = 'timestamp' then '(now() - i * interval ''1 minute'')'
				when f.kind = 'uuid' then 'gen_random_uuid()'
				else '''{}''' end || '::' || f.type, ', ' order by f.position)
			into v_columns, v_values
			from change.field f join pg_catalog.pg_attribute a on a.attrelid = r.rel and a.attname = f.name
			where f.resource = r.name and (f.writable or f.name = r.parent_field)
				and (f.reference is distinct from r.name);
		begin
			execute format('insert into crm.%I (%s) select %s from generate_series(1, %s) i on conflict do nothing', r.table_name,
				v_columns, v_values, v_rows);
		exception when others then
			raise notice '%: %', r.name, sqlerrm;
		end;
		execute format('insert into pg_temp.rehearsal_id select %L, row_number() over (), id from (select id from crm.%I limit %s) s',
			r.name, r.table_name, v_rows);
	end loop;
end $rows$
