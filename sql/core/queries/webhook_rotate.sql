-- webhook_rotate.sql — a new secret; those before it sign along for the overlap and then end. At most five live ones.
-- $1 uuid    id
-- $2 uuid    principal
-- $3 text    secret, in hex
-- $4 int     seconds of overlap
-- $5 text    request
-- lane write
-- out outcome text (made, missing, full)
with act as (
	select set_config('bimodal.actor', $2::text, true) a, set_config('bimodal.request', $5, true) r
), mine as (
	select e.id from webhook.endpoint e
	 where e.id = $1 and (e.owner = $2 or exists (select from access.membership m where m.team = e.team and m.principal = $2))
	   for update
), verdict as (
	select m.id, case when (select count(*) from webhook.secret s where s.endpoint = m.id and coalesce(s.expires_at > now(), true)) >= 5
	                  then 'full' else 'made' end as outcome
	  from mine m
), older as (
	update webhook.secret s set expires_at = least(coalesce(s.expires_at, 'infinity'), now() + make_interval(secs => $4))
	  from verdict v where s.endpoint = v.id and v.outcome = 'made'
), made as (
	insert into webhook.secret (endpoint, secret) select v.id, decode($3, 'hex') from verdict v, act where v.outcome = 'made'
	returning endpoint
), noted as (
	select event.note('webhooks', m.endpoint, 'webhook.rotate', jsonb_build_object('overlap_s', $4)) from made m, act
)
select coalesce((select v.outcome from verdict v), 'missing') as outcome, (select count(*) from noted)
