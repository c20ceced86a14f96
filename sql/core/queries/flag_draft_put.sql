-- flag_draft_put.sql — save the flag's one draft, in the place of an earlier one.
-- $1 text    key
-- $2 jsonb   document
-- $3 bigint  revision that it was made from; null: the present one
-- $4 text    comment
-- $5 bool    also in the place of somebody else's
-- $6 uuid    actor
-- $7 text    request
-- lane write
-- out outcome text (made, missing, archived, base, taken), body text (json object), author text, event bigint
with act as (
	select set_config('bimodal.actor', $6::text, true) a, set_config('bimodal.request', $7, true) r
), cur as (
	select f.archived_at, f.revision from flag.flag f where f.key = $1 for update
), verdict as (
	select case when c.archived_at is not null then 'archived'
	            when $3 is not null and not exists (select from flag.revision r where r.key = $1 and r.revision = $3) then 'base'
	            else 'made' end as outcome, c.revision
	  from cur c
), put as (
	insert into flag.draft as d (key, document, base, author, at, comment)
	select $1, $2, coalesce($3, v.revision), $6, now(), $4 from verdict v, act where v.outcome = 'made'
	on conflict (key) do update
	set document = excluded.document, base = excluded.base, author = excluded.author, at = excluded.at, comment = excluded.comment
	where $5 or d.author = excluded.author
	returning d.key, d.document, d.base, d.author, d.at, d.comment
), noted as (
	select event.note('flags', null, 'flag.draft', jsonb_build_object('key', p.key, 'base', p.base, 'document', p.document,
	                                                                   'comment', p.comment)) as seq
	  from put p, act
)
select case when v.outcome = 'made' and not exists (select from put) then 'taken' else coalesce(v.outcome, 'missing') end as outcome,
       (select row_to_json(x)::text from (select p.key, p.document, p.base, v.revision as current, p.author,
               access.name_of(p.author) as author_name, p.at, p.comment from put p) x) as body,
       (select access.name_of(d.author) from flag.draft d where d.key = $1) as author, (select n.seq from noted n) as event
  from (select 1) one left join verdict v on true
