-- flag_ramp_list.sql — the ramps of a flag, the newest first.
-- $1 text   key
-- $2 uuid   only those before this one; null: from the newest
-- $3 bool   only those that have not ended
-- $4 int    at most so many; one more is read to see whether there are more
-- lane read
-- out found bool, body text (json array), has_more bool, next text
with page as (
	select r.id from flag.ramp r
	 where r.flag = $1 and ($2 is null or r.id < $2) and (not $3 or r.state in ('running', 'held'))
	 order by r.id desc
	 limit $4 + 1
), kept as (
	select id from page order by id desc limit $4
)
select exists (select from flag.flag f where f.key = $1) as found,
       coalesce((select json_agg(flag.ramp_json(r) order by r.id desc) from kept k join flag.ramp r on r.id = k.id), '[]'::json)::text as body,
       (select count(*) from page) > $4 as has_more, (select k.id::text from kept k order by k.id limit 1) as next
