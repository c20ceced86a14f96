-- webhook_test.sql — a test message to a webhook of the principal or of his teams.
-- $1 uuid   id
-- $2 uuid   principal
-- $3 text   request
-- lane write
-- out delivery uuid (no row: there is no such webhook)
with act as materialized (
	select set_config('bimodal.actor', $2::text, true) a, set_config('bimodal.request', $3, true) r
), mine as materialized (
	select e.id from webhook.endpoint e
	 where e.id = $1 and (e.owner = $2 or exists (select from access.membership m where m.team = e.team and m.principal = $2))
)
select webhook.send_test(m.id) from mine m, act where act.a is not null
