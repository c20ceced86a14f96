-- view_create.sql — save a view, unless its owner has too many, or one of that name for the resource.
-- $1 text   actor
-- $2 text   request
-- $3 text   resource
-- $4 text   name
-- $5 text   query
-- $6 text   shared
-- $7 int    views a principal may have
-- lane write
-- out status int (201, 409 too many, 422 the name is taken), id text, body text
with act as (
	select set_config('bimodal.actor', $1, true) as actor, set_config('bimodal.request', $2, true) as request
), verdict as (
	select case when (select count(*) from views.saved v where v.owner = $1::uuid) >= $7 then 409
	            when exists (select from views.saved v where v.owner = $1::uuid and v.resource = $3 and v.name = $4) then 422
	            else 201 end as status
), ins as (
	insert into views.saved (owner, resource, name, query, shared)
	select act.actor::uuid, $3, $4, $5, $6 from act, verdict x where x.status = 201
	returning *
)
select x.status, i.id::text, (select row_to_json(y)::text from
	(select i.id, i.version, i.created_at, i.updated_at, i.owner, i.resource, i.name, i.query, i.shared, true as mine) y) as body
  from verdict x left join ins i on true
