-- webhook_edit.sql — alter a webhook of the principal or of his teams; null keeps what is. Switched on again it has a clean slate.
-- $1 uuid    id
-- $2 uuid    principal
-- $3 text    url
-- $4 text    description
-- $5 text[]  types
-- $6 bool    enabled
-- $7 text    request
-- lane write
-- out found bool
with act as (
	select set_config('bimodal.actor', $2::text, true) a, set_config('bimodal.request', $7, true) r
), made as (
	update webhook.endpoint e
	   set url = coalesce($3, e.url), description = coalesce($4, e.description), types = coalesce($5, e.types),
	       disabled_at = case when $6 then null when not $6 then coalesce(e.disabled_at, now()) else e.disabled_at end,
	       reason = case when $6 then null when not $6 and e.disabled_at is null then 'switched off by hand' else e.reason end,
	       failing_since = case when $6 then null else e.failing_since end, updated_at = now()
	  from act
	 where e.id = $1 and (e.owner = $2 or exists (select from access.membership m where m.team = e.team and m.principal = $2))
	returning e.id
), noted as (
	select event.note('webhooks', m.id, 'webhook.edit', jsonb_build_object('url', $3 is not null, 'types', $5, 'enabled', $6)) from made m, act
)
select exists (select from made) as found, (select count(*) from noted)
