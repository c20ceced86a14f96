-- change_acknowledged.sql — how many workers of core that are alive serve an older schema than the newest.
-- lane slow
-- prepare lazy
-- out missing int
select count(*)::int as missing
  from change.worker w cross join change.state s
 where w.daemon = 'core' and w.seen_at > clock_timestamp() - interval '3 seconds' and w.schema_generation < s.schema_generation
