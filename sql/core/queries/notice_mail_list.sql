-- notice_mail_list.sql — e-mails of notices, the newest first: who was written to and what became of it, not what was in it.
-- $1 text   state, or null for all
-- $2 uuid   only those before this one; null from the newest
-- $3 int    at most so many; one more is read to see whether there are more
-- lane read
-- out body text (json array), has_more bool, next text
with page as (
	select m.id, m.principal, m.state, cardinality(m.notices) as notices, m.attempts, m.due_at, m.error, m.created_at, m.ended_at
	  from notice.mail m
	 where ($1 is null or m.state = $1) and ($2 is null or m.id < $2)
	 order by m.id desc
	 limit $3 + 1
), kept as (
	select * from page order by id desc limit $3
)
select coalesce((select json_agg(row_to_json(k) order by k.id desc) from kept k), '[]'::json)::text as body,
       (select count(*) from page) > $3 as has_more, (select min(k.id::text) from kept k) as next
