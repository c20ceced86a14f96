-- session_applied.sql — has every live worker of core heard of a generation of access?
-- $1 bigint   generation
-- lane read
-- out behind int
select count(*)::int from change.worker w
 where w.daemon = 'core' and w.seen_at > clock_timestamp() - interval '3 seconds' and w.access_generation < $1
