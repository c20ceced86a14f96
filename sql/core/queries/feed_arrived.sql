-- feed_arrived.sql — how old the newest heartbeat is that the server asked (the airlock) has, in milliseconds, and its subscriptions.
-- lane slow
-- prepare lazy
-- out lag_ms bigint (null: none has arrived), subscriptions json, running bigint, apply_errors bigint
select (select (extract(epoch from clock_timestamp() - max(c.at)) * 1000)::bigint from crm.feed_control c where c.kind = 'heartbeat'),
       coalesce(json_agg(json_build_object(
         'name', s.subname,
         'enabled', s.subenabled,
         'running', s.running,
         'resyncing', s.subpublications = '{bimodal_nothing}' or s.tables <> s.ready,
         'tables', s.tables,
         'tables_ready', s.ready,
         'apply_errors', s.errors) order by s.subname), '[]'),
       count(*) filter (where s.running),
       coalesce(sum(s.errors), 0)::bigint
  from (select s.subname, s.subenabled, s.subpublications,
               exists (select from pg_catalog.pg_stat_subscription w
                        where w.subid = s.oid and w.relid is null and w.pid is not null) as running,
               (select count(*) from pg_catalog.pg_subscription_rel r where r.srsubid = s.oid) as tables,
               (select count(*) from pg_catalog.pg_subscription_rel r where r.srsubid = s.oid and r.srsubstate = 'r') as ready,
               coalesce((select x.apply_error_count from pg_catalog.pg_stat_subscription_stats x where x.subid = s.oid), 0) as errors
          from pg_catalog.pg_subscription s
         where s.subdbid = (select d.oid from pg_catalog.pg_database d where d.datname = current_database())) s
