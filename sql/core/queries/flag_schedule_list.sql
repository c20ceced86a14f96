-- flag_schedule_list.sql — the schedules of a flag, the newest first.
-- $1 text   key
-- $2 uuid   only those before this one; null: from the newest
-- $3 bool   only those that still wait
-- $4 int    at most so many; one more is read to see whether there are more
-- lane read
-- out found bool, body text (json array), has_more bool, next text
with page as (
	select s.id from flag.schedule s
	 where s.flag = $1 and ($2 is null or s.id < $2) and (not $3 or s.state = 'waiting')
	 order by s.id desc
	 limit $4 + 1
), kept as (
	select id from page order by id desc limit $4
)
select exists (select from flag.flag f where f.key = $1) as found,
       coalesce((select json_agg(flag.schedule_json(s) order by s.id desc) from kept k join flag.schedule s on s.id = k.id), '[]'::json)::text
       as body, (select count(*) from page) > $4 as has_more, (select k.id::text from kept k order by k.id limit 1) as next
