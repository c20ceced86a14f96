-- flag_request_list.sql — requests to change protected flags, newest first.
-- $1 text   state, or null for all
-- $2 text   key of a flag, or null for all
-- $3 uuid   only requests before this one; null: from the newest
-- $4 int    at most so many; one more is read to see whether there are more
-- lane read
-- out body text (json array), has_more bool, next text
with page as (
	select r.id from flag.request r
	 where ($1 is null or r.state = $1) and ($2 is null or r.key = $2) and ($3 is null or r.id < $3)
	 order by r.id desc limit $4 + 1
), kept as (
	select * from page order by id desc limit $4
)
select coalesce((select json_agg(flag.request_json(k.id) order by k.id desc) from kept k), '[]'::json)::text as body,
       (select count(*) from page) > $4 as has_more, (select k.id::text from kept k order by k.id limit 1) as next
