-- webhook_replay.sql — a message of a webhook of the principal or of his teams once more.
-- $1 uuid   webhook
-- $2 uuid   delivery
-- $3 uuid   principal
-- $4 text   request
-- lane write
-- out found bool (no row: there is no such webhook)
with act as materialized (
	select set_config('bimodal.actor', $3::text, true) a, set_config('bimodal.request', $4, true) r
), mine as materialized (
	select e.id from webhook.endpoint e
	 where e.id = $1 and (e.owner = $3 or exists (select from access.membership m where m.team = e.team and m.principal = $3))
)
select webhook.again(m.id, $2) from mine m, act where act.a is not null
