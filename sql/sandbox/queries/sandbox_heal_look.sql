-- sandbox_heal_look.sql — the sandbox's subscriptions and the age of the copy: what the healing decides by. The registry's comes first.
-- lane slow
-- prepare lazy
-- out name text, oid text, is_enabled bool, is_nothing bool, tables bigint, ready bigint, is_running bool, is_open bool, errors bigint,
-- out lag_ms bigint (null: nothing has arrived), is_followed bool (asked once the copy is ten seconds old: crm has the shape of the registry that has arrived)
select s.subname, s.oid::text, s.subenabled, s.subpublications = '{bimodal_nothing}' as is_nothing, count(r.srrelid) as tables,
       count(r.srrelid) filter (where r.srsubstate = 'r') as ready,
       exists (select from pg_catalog.pg_stat_subscription w where w.subid = s.oid and w.relid is null and w.pid is not null) as is_running,
       exists (select from lab.resync x where x.subscription = s.subname) as is_open,
       coalesce((select e.apply_error_count from pg_catalog.pg_stat_subscription_stats e where e.subid = s.oid), 0) as errors,
       (select (extract(epoch from clock_timestamp() - p.at) * 1000)::bigint from lab.position p) as lag_ms,
       (select case when p.at < clock_timestamp() - interval '10 seconds' then lab.registry_followed() else false end from lab.position p) as is_followed
  from pg_catalog.pg_subscription s
  left join pg_catalog.pg_subscription_rel r on r.srsubid = s.oid
 where s.subname in ('sandbox_registry', 'sandbox_crm')
   and s.subdbid = (select d.oid from pg_catalog.pg_database d where d.datname = current_database())
 group by s.oid, s.subname, s.subenabled, s.subpublications
 order by s.subname desc
