-- lab_registry_look.sql — has the registry changed since crm was last brought to it, can something be dropped now, and are there tables that the subscription does not have yet?
-- lane slow
-- prepare lazy
-- out hash text (null: no registry yet), is_changed bool, is_missing bool
select n.hash, n.hash is not null and (n.hash <> r.hash or exists (select from change.projection_sql() p where p.step >= 100)) as is_changed,
       exists (select from change.published_columns() c where c.key and not exists (
               select from pg_catalog.pg_subscription_rel s where s.srrelid = to_regclass(format('crm.%I', c.table_name)))) as is_missing
  from lab.registry r, (select lab.registry_hash() as hash) n
