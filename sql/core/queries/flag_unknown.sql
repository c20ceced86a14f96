-- flag_unknown.sql — keys that are asked for though there is no live flag of theirs.
-- $1 text    only keys after this one ('' from the start)
-- $2 bigint  seconds: counts of so long
-- $3 int     at most so many; one more is read to see whether there are more
-- lane read
-- prepare lazy
-- out body text (json array), has_more bool, next text
with asked as (
	select a.flag as key, a.principal, a.client, a.daemon, sum(a.count)::bigint as count, min(a.first_at) as first_at,
	       max(a.last_at) as last_at
	  from flag.asked a
	 where a.flag <> '' and a.flag collate "C" > $1 collate "C"
	   and a.day >= ((now() - $2 * interval '1 second') at time zone 'UTC')::date
	   and not exists (select from flag.flag f where f.key = a.flag and f.archived_at is null)
	 group by 1, 2, 3, 4
), page as (
	select a.key, exists (select from flag.flag f where f.key = a.key) as archived, sum(a.count)::bigint as count,
	       min(a.first_at) as first_at, max(a.last_at) as last_at,
	       json_agg(json_build_object('principal', a.principal, 'name', access.name_of(a.principal), 'client', a.client,
	                                  'daemon', a.daemon, 'count', a.count, 'last_at', a.last_at) order by a.last_at desc) as asked_by
	  from asked a
	 group by a.key
	 order by a.key collate "C"
	 limit $3 + 1
), kept as (
	select * from page order by key collate "C" limit $3
)
select coalesce((select json_agg(row_to_json(k) order by k.key collate "C") from kept k), '[]'::json)::text as body,
       (select count(*) from page) > $3 as has_more, (select max(k.key collate "C") from kept k) as next
