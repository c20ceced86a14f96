-- webhook_create.sql — a new webhook of the principal, or of a team he is in; at most 20 of each.
-- $1 uuid    id
-- $2 uuid    principal
-- $3 uuid    team; null: his own
-- $4 text    url
-- $5 text    description
-- $6 text[]  types
-- $7 text    secret, in hex
-- $8 text    request
-- lane write
-- out outcome text (made, full, team), event bigint
with act as (
	select set_config('bimodal.actor', $2::text, true) a, set_config('bimodal.request', $8, true) r
), verdict as (
	select case when $3 is not null and not exists (select from access.membership m join access.team t on t.id = m.team
	                                                 where m.team = $3 and m.principal = $2 and t.archived_at is null) then 'team'
	            when (select count(*) from webhook.endpoint e where e.owner = $2 and $3 is null or e.team = $3) >= 20 then 'full'
	            else 'made' end as outcome
), made as (
	insert into webhook.endpoint (id, owner, team, created_by, url, description, types)
	select $1, case when $3 is null then $2 end, $3, $2, $4, $5, $6 from verdict v, act where v.outcome = 'made'
	returning id
), secret as (
	insert into webhook.secret (endpoint, secret) select m.id, decode($7, 'hex') from made m
), noted as (
	select event.note('webhooks', m.id, 'webhook.create', jsonb_build_object('team', $3, 'types', $6)) as seq from made m, act
)
select (select v.outcome from verdict v) as outcome, (select n.seq from noted n) as event
