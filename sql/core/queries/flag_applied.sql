-- flag_applied.sql — which workers that are alive serve a generation of the flags.
-- $1 bigint   generation; 0 asks for the newest
-- lane read
-- out generation bigint, workers int, of int, missing text (json array), sandbox int, sandbox_of int
with g as (
	select case when $1 > 0 then $1 else s.generation end as target from flag.state s
), w as (
	select w.daemon, w.instance || '/' || w.worker as name, w.flag_generation >= g.target as applied
	  from change.worker w, g
	 where w.seen_at > clock_timestamp() - interval '3 seconds'
)
select g.target as generation, count(*) filter (where w.daemon = 'core' and w.applied)::int as workers,
       count(*) filter (where w.daemon = 'core')::int as of,
       coalesce(json_agg(w.name order by w.name) filter (where w.daemon = 'core' and not w.applied), '[]'::json)::text as missing,
       count(*) filter (where w.daemon = 'sandbox' and w.applied)::int as sandbox,
       count(*) filter (where w.daemon = 'sandbox')::int as sandbox_of
  from g left join w on true
 group by g.target
