-- flag_create.sql — a new flag with its first revision; an archived flag of the same key is taken up again, with its history.
-- $1 text        key
-- $2 text        kind
-- $3 text        purpose
-- $4 text        business owner's name
-- $5 text        technical owner's name
-- $6 timestamptz expires at
-- $7 jsonb       document
-- $8 bool        enabled
-- $9 uuid        actor
-- $10 text       request
-- $11 bool       the actor may only make experiments, and take up only his own
-- $12 int        so many live experiments at most for him
-- $13 text       slug of the team it belongs to, or null
-- Published to the sandbox is only what names no field of people that it may not see, and holds no text that looks like an e-mail
-- address or a person's id: in a condition, or as what is hashed.
-- lane write
-- out outcome text (made, exists, full, team), revision bigint, event bigint
with act as (
	select set_config('bimodal.actor', $9::text, true) a, set_config('bimodal.request', $10, true) r
), cur as (
	select f.kind, f.created_by, f.archived_at from flag.flag f where f.key = $1 for update
), verdict as (
	select case when exists (select from cur c where c.archived_at is null or ($11 and (c.kind <> 'experiment' or c.created_by <> $9)))
	            then 'exists'
	            when $11 and (select count(*) from flag.flag f where f.kind = 'experiment' and f.archived_at is null) >= $12
	            then 'full'
	            when $13 is not null and not exists (select from access.team t where t.slug = $13 and t.archived_at is null) then 'team'
	            else 'made' end as outcome
), made as (
	insert into flag.flag (key, kind, purpose, business_owner, technical_owner, expires_at, created_by, team)
	select $1, $2, $3, access.owner($4, 'business_owner'), access.owner($5, 'technical_owner'), $6, $9,
	       (select t.id from access.team t where t.slug = $13)
	  from verdict v, act where v.outcome = 'made'
	on conflict (key) do update
	set kind = excluded.kind, purpose = excluded.purpose, business_owner = excluded.business_owner,
	    technical_owner = excluded.technical_owner, expires_at = excluded.expires_at, created_by = excluded.created_by, team = excluded.team,
	    created_at = now(), archived_at = null
	where flag.archived_at is not null
	returning key
), revised as (
	insert into flag.revision (key, document, enabled, core_only, actor, comment)
	select m.key, $7, $8, flag.core_only($7), $9, 'created' from made m
	returning revision
), noted as (
	select event.note('flags', null, 'flag.create',
	                  jsonb_build_object('key', $1, 'kind', $2, 'purpose', $3, 'business_owner', $4, 'technical_owner', $5, 'team', $13, 'expires_at', $6,
	                                     'revision', r.revision, 'enabled', $8, 'document', $7)) as seq
	  from revised r, act
)
select case when v.outcome = 'made' and not exists (select from revised) then 'exists' else v.outcome end as outcome,
       (select r.revision from revised r) as revision, (select n.seq from noted n) as event
  from verdict v
