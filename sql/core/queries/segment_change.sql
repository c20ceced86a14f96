-- segment_change.sql — other filters, another purpose.
-- $1 text name
-- $2 int  version it must have, or null
-- $3 text query, or null to keep it
-- $4 text purpose, or null to keep it
-- $5 uuid actor
-- $6 text request
-- lane write
-- prepare lazy
-- out outcome text (made, missing, stale), version int
with act as (
	select set_config('bimodal.actor', $5::text, true) a, set_config('bimodal.request', $6, true) r
), cur as (
	select x.version, x.query from flag.segment x where x.name = $1 for update
), made as (
	update flag.segment x
	   set query = coalesce($3, x.query), purpose = coalesce($4, x.purpose), version = x.version + 1, changed_at = now()
	  from act, cur c where x.name = $1 and ($2::int is null or c.version = $2)
	returning x.version, x.query, x.purpose
), noted as (
	select event.note('flags', null, 'segment.change',
	                  jsonb_build_object('segment', $1, 'query', m.query, 'was_query', c.query, 'purpose', m.purpose)) as seq
	  from made m, cur c, act
)
select case when exists (select from noted) then 'made' when exists (select from cur) then 'stale' else 'missing' end as outcome,
       coalesce((select m.version from made m), (select c.version from cur c)) as version
