-- sandbox_feed.sql — the feed as it looks from the sandbox: position, lag, subscriptions.
-- lane read
-- out body json
select json_build_object(
         'as_of', p.at,
         'lsn', p.lsn,
         'lag_ms', (extract(epoch from clock_timestamp() - p.at) * 1000)::bigint,
         'transit_ms', (extract(epoch from p.received_at - p.at) * 1000)::bigint,
         'resyncing', p.resyncing,
         'subscriptions', (select coalesce(json_agg(json_build_object(
             'name', s.subname,
             'enabled', s.subenabled,
             'running', exists (select from pg_catalog.pg_stat_subscription w
                                 where w.subid = s.oid and w.relid is null and w.pid is not null),
             'tables', (select count(*) from pg_catalog.pg_subscription_rel r where r.srsubid = s.oid),
             'tables_ready', (select count(*) from pg_catalog.pg_subscription_rel r where r.srsubid = s.oid and r.srsubstate = 'r'),
             'apply_errors', coalesce((select x.apply_error_count from pg_catalog.pg_stat_subscription_stats x where x.subid = s.oid), 0))
             order by s.subname), '[]') from pg_catalog.pg_subscription s))
  from lab.position p
