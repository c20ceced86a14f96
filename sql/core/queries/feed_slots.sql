-- feed_slots.sql — the replication slots of the server asked (core, or the airlock), as one JSON text; lost_copies: slots of initial copies
-- under way that are lost, so that those copies never end.
-- lane slow
-- prepare lazy
-- out state json, lost_copies json, lost bigint
select coalesce(json_agg(json_build_object(
         'slot', s.slot_name,
         'active', s.active,
         'wal_status', s.wal_status,
         'behind_bytes', pg_wal_lsn_diff(pg_current_wal_lsn(), s.confirmed_flush_lsn),
         'kept_bytes', pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn),
         'safe_bytes', s.safe_wal_size) order by s.slot_name) filter (where s.slot_name !~ '_sync_'), '[]'),
       coalesce(json_agg(s.slot_name order by s.slot_name) filter (where s.slot_name ~ '_sync_' and s.wal_status = 'lost'), '[]'),
       count(*) filter (where s.wal_status = 'lost')
  from pg_catalog.pg_replication_slots s
 where s.slot_type = 'logical'
