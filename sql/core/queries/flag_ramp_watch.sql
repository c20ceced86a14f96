-- flag_ramp_watch.sql — the next ramp whose guardrails are to be looked at.
-- $1 uuid     only those after this one
-- $2 bigint   microseconds from one look to the next
-- lane slow
-- prepare lazy
-- out id text, guardrails text (json array), variations text (json array), planned_units int, guarded_from text, at text
select r.id::text as id, r.guardrails::text as guardrails, to_json(r.variations)::text as variations, r.planned_units,
       r.guarded_from::text as guarded_from, clock_timestamp()::text as at
  from flag.ramp r
 where r.state = 'running' and r.id > $1 and r.guardrails <> '[]'
   and coalesce(r.judged_at <= clock_timestamp() - make_interval(secs => $2 / 1000000.0), true)
 order by r.id
 limit 1
