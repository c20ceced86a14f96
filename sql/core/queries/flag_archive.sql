-- flag_archive.sql — end a flag: it is served no more; its revisions and exposures stay.
-- $1 text   key
-- $2 uuid   actor
-- $3 text   request
-- $4 bool   the actor may only do it to experiments that he has made
-- lane write
-- out outcome text (made, missing, archived, denied), revision bigint, enabled bool, event bigint
with act as (
	select set_config('bimodal.actor', $2::text, true) a, set_config('bimodal.request', $3, true) r
), cur as (
	select f.kind, f.created_by, f.archived_at from flag.flag f where f.key = $1 for update
), verdict as (
	select case when c.archived_at is not null then 'archived'
	            when $4 and (c.kind <> 'experiment' or c.created_by <> $2) then 'denied'
	            else 'made' end as outcome
	  from cur c
), ended as (
	update flag.flag f set archived_at = now() from verdict v, act where f.key = $1 and v.outcome = 'made'
	returning f.revision
), noted as (
	select event.note('flags', null, 'flag.archive', jsonb_build_object('key', $1, 'revision', e.revision)) as seq from ended e, act
)
select coalesce((select v.outcome from verdict v), 'missing') as outcome, (select e.revision from ended e) as revision, false as enabled,
       (select n.seq from noted n) as event
