-- flag_diff.sql — what two states of a flag differ in.
-- $1 text    key
-- $2 bigint  revision before; null: the present one
-- $3 bigint  revision after; null: the draft
-- lane read
-- out before bool, after bool, body text (json object; null unless both are there), old text, new text (their documents)
-- No row: there is no such flag.
with cur as (
	select f.key, f.revision, coalesce(r.enabled, false) as enabled
	  from flag.flag f left join flag.revision r on r.revision = f.revision
	 where f.key = $1
), old as (
	select r.revision, r.enabled, r.document, r.rebucket from cur c join flag.revision r on r.key = c.key and r.revision = coalesce($2, c.revision)
), new as (
	select r.revision, r.enabled, r.document, null::bigint as base, r.rebucket from flag.revision r where r.key = $1 and r.revision = $3
	union all
	select null, c.enabled, d.document, d.base, false from cur c join flag.draft d on d.key = c.key where $3 is null
)
select o.document is not null as before, n.document is not null as after,
       case when o.document is not null and n.document is not null then json_build_object('key', c.key, 'current', c.revision,
                 'from', json_build_object('revision', o.revision, 'enabled', o.enabled, 'rebucket', o.rebucket),
                 'to', json_build_object('revision', n.revision, 'enabled', n.enabled, 'base', n.base,
                                         'rebucket', n.rebucket),
                 'changes', flag.diff(o.document, n.document))::text end as body,
       o.document::text as old, n.document::text as new
  from cur c left join old o on true left join new n on true
