-- people_token_list.sql — tokens, the newest first.
-- $1 uuid   only those before this one, or null
-- $2 uuid   of this principal; null: of all
-- $3 bool   ended ones too
-- $4 int    at most so many; one more is read to see whether there are more
-- lane read
-- prepare lazy
-- out body text (json array), has_more bool, next text
with page as (
	select t.id from access.token t join access.principal p on p.id = t.principal
	 where ($1 is null or t.id < $1) and ($2 is null or t.principal = $2)
	   and ($3 or (t.revoked_at is null and t.expires_at > now() and p.disabled_at is null))
	 order by t.id desc
	 limit $4 + 1
), kept as (
	select * from page order by id desc limit $4
)
select coalesce((select json_agg(access.token_json(k.id) order by k.id desc) from kept k), '[]'::json)::text as body,
       (select count(*) from page) > $4 as has_more, (select k.id::text from kept k order by k.id limit 1) as next
