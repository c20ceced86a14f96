-- flag_usage.sql — who asks for a flag, and what else uses it.
-- $1 text    key
-- $2 bigint  seconds: counts of so long
-- $3 bigint  seconds after which a stream that nobody reported again is over
-- lane read
-- prepare lazy
-- out found bool, body text (json object)
with flag as (
	select f.key, f.kind, f.revision, f.created_by from flag.flag f where f.key = $1
), asked as (
	select a.principal, a.client, case when a.flag = '' then 'all' else 'one' end as how, a.daemon, sum(a.count)::bigint as count,
	       min(a.first_at) as first_at, max(a.last_at) as last_at
	  from flag.asked a
	 where a.flag in ($1, '') and a.day >= ((now() - $2 * interval '1 second') at time zone 'UTC')::date
	 group by 1, 2, 3, 4
), told as (
	select a.principal, access.name_of(a.principal) as name, a.client, a.how, a.daemon, a.count, a.first_at, a.last_at,
	       coalesce((select sum(s.open) from flag.stream s
	                  where s.principal = a.principal and s.client = a.client and s.daemon = a.daemon
	                    and s.seen_at > clock_timestamp() - $3 * interval '1 second'), 0)::int as streams
	  from asked a
	 order by a.last_at desc
	 limit 500
), used as (
	select 1 as place, 'flag' as kind, f.key as name, 'waits for it' as how
	  from flag.flag f join flag.revision r on r.revision = f.revision
	 where f.archived_at is null and f.key <> $1
	   and jsonb_path_exists(r.document, '$.rules[*].prerequisites[*].flag ? (@ == $key)', jsonb_build_object('key', $1::text))
	union all
	select 2, 'feature', c.slug, 'promoted: its endpoints give this flag''s variation' from change.feature c where c.flag_key = $1
	union all
	select 3, 'experiment', access.name_of(f.created_by), 'made it for a hypothesis' from flag f
	 where f.kind = 'experiment' and exists (select from access.role_grant g where g.principal = f.created_by and g.role = 'service')
), needs as (
	select distinct p.name #>> '{}' as key
	  from flag f join flag.revision r on r.revision = f.revision
	  cross join lateral jsonb_path_query(r.document, 'lax $.rules[*].prerequisites[*].flag') as p (name)
)
select exists (select from flag) as found,
       json_build_object('key', $1::text, 'since', ((now() - $2 * interval '1 second') at time zone 'UTC')::date,
           'asked_by', coalesce((select json_agg(row_to_json(t) order by t.last_at desc, t.client) from told t), '[]'::json),
           'used_by', coalesce((select json_agg(json_build_object('kind', u.kind, 'name', u.name, 'how', u.how) order by u.place, u.name)
                                  from used u), '[]'::json),
           'needs', coalesce((select json_agg(n.key order by n.key) from needs n), '[]'::json))::text as body
