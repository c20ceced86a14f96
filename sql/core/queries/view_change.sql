-- view_change.sql — change a view of one's own.
-- $1 text   actor
-- $2 text   request
-- $3 uuid   view
-- $4 int    version it must have, or null
-- $5 text   name, or null to keep it
-- $6 text   query, or null to keep it
-- $7 text   shared, or null to keep it
-- lane write
-- out status int (200, 404, 412, 422 the name is taken), version int, body text
with act as (
	select set_config('bimodal.actor', $1, true) as actor, set_config('bimodal.request', $2, true) as request
), cur as (
	select v.id, v.version, v.resource from views.saved v where v.id = $3 and v.owner = $1::uuid for update
), verdict as (
	select case when c.id is null then 404 when c.version <> $4 then 412
	            when exists (select from views.saved v where v.owner = $1::uuid and v.resource = c.resource and v.name = $5 and v.id <> $3)
	            then 422 else 200 end as status, c.version
	  from (select 1) one left join cur c on true
), upd as (
	update views.saved v set name = coalesce($5, v.name), query = coalesce($6, v.query), shared = coalesce($7, v.shared)
	  from act, cur c, verdict x
	 where v.id = c.id and act.actor is not null and x.status = 200
	returning v.*
)
select x.status, coalesce(u.version, x.version) as version,
       (select row_to_json(y)::text from (select u.id, u.version, u.created_at, u.updated_at, u.owner, u.resource, u.name, u.query,
	u.shared, true as mine) y) as body
  from verdict x left join upd u on true
