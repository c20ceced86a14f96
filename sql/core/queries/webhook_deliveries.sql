-- webhook_deliveries.sql — the log of a webhook of the principal or of his teams, the newest first, with every attempt.
-- $1 uuid   webhook
-- $2 uuid   principal
-- $3 text   state, or null for all
-- $4 uuid   only those before this one; null from the newest
-- $5 int    at most so many; one more is read to see whether there are more
-- lane read
-- out found bool, body text (json array), has_more bool, next text
with mine as (
	select e.id from webhook.endpoint e
	 where e.id = $1 and (e.owner = $2 or exists (select from access.membership m where m.team = e.team and m.principal = $2))
), page as (
	select d.id, d.message, x.type, d.state, d.attempts, d.status, d.error, d.due_at, d.created_at, d.ended_at,
	       (select json_agg(json_build_object('n', a.n, 'at', a.at, 'status', a.status, 'ms', a.ms, 'error', a.error) order by a.n)
	          from webhook.attempt a where a.delivery = d.id) as log
	  from mine m
	  join webhook.delivery d on d.endpoint = m.id
	  join webhook.message x on x.id = d.message
	 where ($3 is null or d.state = $3) and ($4 is null or d.id < $4)
	 order by d.id desc
	 limit $5 + 1
), kept as (
	select * from page order by id desc limit $5
)
select exists (select from mine) as found,
       coalesce((select json_agg(row_to_json(k) order by k.id desc) from kept k), '[]'::json)::text as body,
       (select count(*) from page) > $5 as has_more, (select min(k.id::text) from kept k) as next
