-- feed_subscriptions.sql — the subscriptions of the server asked (the airlock): what the healing decides by. The registry's comes first.
-- lane slow
-- prepare lazy
-- out name text, oid text, is_enabled bool, is_nothing bool, tables bigint, ready bigint, new_tables bigint (made, not yet subscribed to)
select s.subname, s.oid::text, s.subenabled, s.subpublications = '{bimodal_nothing}' as is_nothing, count(r.srrelid) as tables,
       count(r.srrelid) filter (where r.srsubstate = 'r') as ready,
       case when s.subname = 'airlock_crm'
            then (select count(*) from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
                   where n.nspname = 'crm' and c.relkind = 'r'
                     and not exists (select from pg_catalog.pg_subscription_rel x where x.srrelid = c.oid))
            else 0 end as new_tables
  from pg_catalog.pg_subscription s
  left join pg_catalog.pg_subscription_rel r on r.srsubid = s.oid
 where s.subname in ('airlock_registry', 'airlock_crm')
   and s.subdbid = (select d.oid from pg_catalog.pg_database d where d.datname = current_database())
 group by s.oid, s.subname, s.subenabled, s.subpublications
 order by s.subname desc
