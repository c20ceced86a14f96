-- flag_expire.sql — archive what has expired. The workers have treated it as disabled since that very moment, by their clocks.
-- $1 text   request
-- lane slow
-- prepare lazy
-- out keys text (json array), event bigint
with act as (
	select set_config('bimodal.actor', 'system:flags', true) a, set_config('bimodal.request', $1, true) r
), due as (
	select f.key from flag.flag f, act where f.archived_at is null and f.expires_at <= now() for update of f skip locked
), ended as (
	update flag.flag f set archived_at = now() from due d where f.key = d.key
	returning f.key, f.kind, f.revision, f.expires_at
), noted as (
	select event.note('flags', null, 'flag.expire',
	                  jsonb_build_object('key', e.key, 'kind', e.kind, 'revision', e.revision, 'expires_at', e.expires_at)) as seq
	  from ended e, act
)
select coalesce((select json_agg(e.key order by e.key) from ended e), '[]'::json)::text as keys, (select max(n.seq) from noted n) as event
