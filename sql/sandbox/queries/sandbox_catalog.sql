-- sandbox_catalog.sql — the registry beside the columns that exist, of one moment: what the record engine serves.
-- Its generation is the copy's own: raised whenever crm was brought to a changed registry, or a feature came or went.
-- lane read
-- out generation bigint, resource text, singular text, table_name text, parent text, parent_field text, label text, name text,
-- out registered bool, class text, kind text, required bool, writable bool, filterable bool, sortable bool, reference text,
-- out choices text (separated by U+001F), max_length int, column_type text (null: no such column), not_null bool,
-- out column_default text, is_unique bool
with res as (
	select r.*, to_regclass('crm.' || quote_ident(r.table_name)) as rel from change.resource r
), col as (
	select r.name as resource, a.attname::text as name, a.attrelid, a.attnum, a.attnotnull,
	       format_type(a.atttypid, a.atttypmod) as column_type
	  from res r join pg_attribute a on a.attrelid = r.rel and a.attnum > 0 and not a.attisdropped
), names as (
	select resource, name from col union select resource, name from change.field
)
select (select s.schema_generation from change.state s) as generation, r.name as resource, r.singular, r.table_name, r.parent, r.parent_field, r.label, n.name,
       f.name is not null as registered, f.class, f.kind, f.required, f.writable, f.filterable, f.sortable, f.reference,
       array_to_string(f.choices, chr(31)) as choices, f.max_length, c.column_type, c.attnotnull as not_null,
       (select pg_get_expr(d.adbin, d.adrelid) from pg_attrdef d where d.adrelid = c.attrelid and d.adnum = c.attnum)
           as column_default,
       exists (select from pg_index i
                where i.indrelid = c.attrelid and i.indisunique and i.indnkeyatts = 1 and i.indpred is null
                  and i.indexprs is null and i.indkey[0] = c.attnum) as is_unique
  from names n
  join res r on r.name = n.resource
  left join col c on c.resource = n.resource and c.name = n.name
  left join change.field f on f.resource = n.resource and f.name = n.name
 order by r.position, r.name,
          case when n.name in ('id', 'pseudonym', 'person_pseudonym') then 0 when n.name = 'version' then 1
               when n.name in ('created_at', 'updated_at') then 3 else 2 end,
          f.position, n.name
