-- notice_list.sql — the notices of one principal, the newest first, and how many are unread and open.
-- $1 uuid   principal
-- $2 text   unread, open (tasks that wait) or all
-- $3 uuid   only those before this one; null from the newest
-- $4 int    at most so many; one more is read to see whether there are more
-- lane read
-- out body text (json array), has_more bool, next text, unread int, open int
with page as (
	select n.id, n.kind, n.task, n.title, n.body, n.link, n.record, n.at, n.read_at, n.done_at
	  from notice.notice n
	 where n.principal = $1 and n.app and ($3 is null or n.id < $3)
	   and ($2 = 'all' or $2 = 'unread' and n.read_at is null and n.done_at is null or $2 = 'open' and n.task and n.done_at is null)
	 order by n.id desc
	 limit $4 + 1
), kept as (
	select * from page order by id desc limit $4
)
select coalesce((select json_agg(row_to_json(k) order by k.id desc) from kept k), '[]'::json)::text as body,
       (select count(*) from page) > $4 as has_more, (select min(k.id::text) from kept k) as next,
       count(*) filter (where n.read_at is null) as unread, count(*) filter (where n.task) as open
  from notice.notice n
 where n.principal = $1 and n.app and n.done_at is null and (n.task or n.read_at is null)
