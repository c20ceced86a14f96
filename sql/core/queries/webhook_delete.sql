-- webhook_delete.sql — remove a webhook of the principal or of his teams, with its log.
-- $1 uuid    id
-- $2 uuid    principal
-- $3 text    request
-- lane write
-- out found bool
with act as (
	select set_config('bimodal.actor', $2::text, true) a, set_config('bimodal.request', $3, true) r
), gone as (
	delete from webhook.endpoint e using act
	 where e.id = $1 and (e.owner = $2 or exists (select from access.membership m where m.team = e.team and m.principal = $2))
	returning e.id
), noted as (
	select event.note('webhooks', g.id, 'webhook.delete', '{}') from gone g, act
)
select exists (select from gone) as found, (select count(*) from noted)
