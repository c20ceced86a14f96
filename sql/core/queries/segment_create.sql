-- segment_create.sql — a new segment.
-- $1 text name
-- $2 text resource
-- $3 text query
-- $4 text purpose
-- $5 text business owner's name
-- $6 text technical owner's name
-- $7 uuid actor
-- $8 text request
-- $9 int  so many segments at most
-- lane write
-- prepare lazy
-- out outcome text (made, exists, full)
with act as (
	select set_config('bimodal.actor', $7::text, true) a, set_config('bimodal.request', $8, true) r
), made as (
	insert into flag.segment (name, resource, query, purpose, business_owner, technical_owner, created_by)
	select $1, $2, $3, $4, access.owner($5, 'business_owner'), access.owner($6, 'technical_owner'), $7
	  from act where (select count(*) from flag.segment) < $9
	on conflict do nothing
	returning name
), noted as (
	select event.note('flags', null, 'segment.create', jsonb_build_object('segment', $1, 'resource', $2, 'query', $3, 'purpose', $4)) as seq
	  from made m, act
)
select case when exists (select from noted) then 'made' when exists (select from flag.segment x where x.name = $1) then 'exists'
            else 'full' end as outcome
