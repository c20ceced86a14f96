-- segment_delete.sql — end a segment that no flag uses.
-- $1 text name
-- $2 uuid actor
-- $3 text request
-- lane write
-- prepare lazy
-- out outcome text (made, missing, used), flags text
with act as (
	select set_config('bimodal.actor', $2::text, true) a, set_config('bimodal.request', $3, true) r
), cur as (
	select x.name, flag.segment_users(x.name) as users from flag.segment x where x.name = $1 for update
), gone as (
	delete from flag.segment x using cur c, act where x.name = $1 and cardinality(c.users) = 0
	returning x.name, x.query
), noted as (
	select event.note('flags', null, 'segment.delete', jsonb_build_object('segment', $1, 'query', g.query)) as seq from gone g, act
)
select case when exists (select from noted) then 'made' when exists (select from cur) then 'used' else 'missing' end as outcome,
       (select array_to_string(c.users, ', ') from cur c) as flags
