-- feed_get.sql — the state of the feed as the jobs child last saw it, and the last re-sync of each slot.
-- lane read
-- out body json
select json_build_object(
         'hops', coalesce((select json_agg(json_build_object(
           'hop', h.hop,
           'seen_at', h.at,
           'age_ms', (extract(epoch from clock_timestamp() - h.at) * 1000)::bigint,
           'state', h.state) order by h.hop desc) from change.feed_hop h), '[]'),
         'resyncs', coalesce((select json_agg(json_build_object(
           'slot', r.slot,
           'reason', r.reason,
           'begun_at', r.begun_at,
           'ended_at', r.ended_at,
           'ended_age_ms', (extract(epoch from clock_timestamp() - r.ended_at) * 1000)::bigint,
           'error', r.error) order by r.slot) from change.feed_resync r), '[]'))
