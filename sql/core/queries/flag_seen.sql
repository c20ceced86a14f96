-- flag_seen.sql — the applications that asked for a flag lately and hold no event stream: nobody tells them that it has changed.
-- $1 text    key
-- $2 bigint  seconds that are lately
-- $3 bigint  seconds after which a stream that nobody reported again is over
-- lane read
-- prepare lazy
-- out streams int, body text (json array)
with live as (
	select s.principal, s.client, sum(s.open) as open from flag.stream s
	 where s.seen_at > clock_timestamp() - $3 * interval '1 second'
	 group by 1, 2
), asked as (
	select a.principal, a.client, bool_or(a.flag = '') as is_all, max(a.last_at) as last_at, sum(a.count)::bigint as count,
	       -- How often all flags were asked for on the last day, by all that are this application together.
	       (array_agg(case when a.flag = '' and a.count > 1
	                       then (extract(epoch from a.last_at - a.first_at) * 1000 / (a.count - 1))::bigint end
	                  order by a.flag, a.day desc))[1] as every_ms
	  from flag.asked a
	 where a.flag in ($1, '') and a.last_at > now() - $2 * interval '1 second'
	   and a.day >= ((now() - $2 * interval '1 second') at time zone 'UTC')::date
	   and not exists (select from live l where l.principal = a.principal and l.client = a.client)
	 group by 1, 2
	 order by max(a.last_at) desc
	 limit 100
)
select coalesce((select sum(l.open) from live l), 0)::int as streams,
       coalesce(json_agg(json_build_object('principal', a.principal, 'name', access.name_of(a.principal), 'client', a.client,
                    'asks', case when a.is_all then 'all' else 'one' end, 'last_at', a.last_at, 'count', a.count,
                    'every_ms', a.every_ms) order by a.is_all desc, a.last_at desc), '[]'::json)::text as body
  from asked a
