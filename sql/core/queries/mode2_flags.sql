-- mode2_flags.sql — the experiments that the stop turned off, by key.
-- lane read
-- out body text (json array)
select coalesce(json_agg(json_build_object('key', s.key, 'revision', s.revision) order by s.key), '[]'::json)::text as body
  from flag.stopped s
 where not s.by_hand
