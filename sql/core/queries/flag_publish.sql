-- flag_publish.sql — the draft of a flag becomes its next revision; on or off stays what it is.
-- $1 text    key
-- $2 bigint  revision that must be the present one; 0: any; null: the rules must be those the draft was made from
-- $3 text    comment; '' takes the draft's
-- $4 uuid    actor
-- $5 text    request
-- $6 bigint  revision whose rules the guard has looked at
-- $7 text    hash of the draft that it has looked at
-- $8 bool    units that have been divided may be moved
-- lane write
-- out outcome text (made, missing, archived, none, moved, retry, unseen, protected), revision bigint, enabled bool, current bigint, base bigint, event bigint
-- "retry" as in flag_revise.sql. The flag's row is locked before the draft's, as by flag_draft_put.sql.
with act as (
	select set_config('bimodal.actor', $4::text, true) a, set_config('bimodal.request', $5, true) r
), cur as (
	select f.archived_at, f.revision, f.protected from flag.flag f where f.key = $1 for update
), draft as (
	select d.document, d.base, d.author, d.comment from cur c join flag.draft d on d.key = $1 for update of d
), verdict as (
	select case when c.archived_at is not null then 'archived'
	            when d.base is null then 'none'
	            when o.revision is null or b.revision is null then 'retry'
	            when ($2 > 0 and $2 <> c.revision) or ($2 is null and b.document::text <> o.document::text) then 'moved'
	            when $7 <> encode(sha256(convert_to(d.document::text, 'UTF8')), 'hex')
	                 or ($6 <> c.revision and o.document::text <> (select s.document::text from flag.revision s where s.revision = $6))
	            then 'unseen'
	            when c.protected then 'protected'
	            else 'made' end as outcome,
	       c.revision, o.enabled, d.document, d.base, d.author, coalesce(nullif($3, ''), d.comment) as comment
	  from cur c
	  left join draft d on true
	  left join flag.revision o on o.revision = c.revision
	  left join flag.revision b on b.revision = d.base
), revised as (
	insert into flag.revision (key, document, enabled, core_only, actor, comment, rebucket)
	select $1, v.document, v.enabled, flag.core_only(v.document), $4, v.comment, $8 from verdict v, act where v.outcome = 'made'
	returning revision, enabled
), dropped as (
	delete from flag.draft d using verdict v where d.key = $1 and v.outcome = 'made'
), noted as (
	select event.note('flags', null, 'flag.publish',
	                  jsonb_build_object('key', $1, 'revision', r.revision, 'enabled', r.enabled, 'previous', v.revision, 'base', v.base,
	                                     'author', v.author, 'document', v.document, 'comment', v.comment)
	                  || case when $8 then '{"rebucket":true}' else '{}' end::jsonb) as seq
	  from revised r, verdict v, act
)
select coalesce(v.outcome, 'missing') as outcome, (select r.revision from revised r) as revision,
       (select r.enabled from revised r) as enabled, v.revision as current, v.base as base, (select n.seq from noted n) as event
  from (select 1) one left join verdict v on true
