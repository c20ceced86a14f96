-- flag_revise.sql — the next revision of a flag: another document, or on, or off.
-- $1 text    key
-- $2 jsonb   document; null keeps the present one
-- $3 bool    enabled; null keeps what is
-- $4 text    comment
-- $5 uuid    actor
-- $6 text    request
-- $7 text    name of the event
-- $8 bool    the actor may only do it to experiments that he has made
-- $9 bigint  revision whose rules the guard has looked at; null: it was not asked
-- $10 bool   units that have been divided may be moved
-- Of the document the same holds as in flag_create.sql.
-- "protected": another person has to approve it, see flag_request_file.sql.
-- lane write
-- out outcome text (made, missing, archived, denied, expired, retry, unseen, protected), revision bigint, enabled bool, event bigint
-- "retry": another revision was committed while this statement waited for the flag's row, and its snapshot is older than that.
with act as (
	select set_config('bimodal.actor', $5::text, true) a, set_config('bimodal.request', $6, true) r
), cur as (
	select f.kind, f.created_by, f.archived_at, f.expires_at, f.revision, f.protected from flag.flag f where f.key = $1 for update
), verdict as (
	select case when c.archived_at is not null then 'archived'
	            when $8 and (c.kind <> 'experiment' or c.created_by <> $5) then 'denied'
	            when coalesce($3, false) and c.expires_at <= now() then 'expired'
	            when o.revision is null then 'retry'
	            when $9 <> c.revision and o.document::text <> (select s.document::text from flag.revision s where s.revision = $9)
	            then 'unseen'
	            when c.protected and ($2 is not null or (coalesce($3, false) and not o.enabled)) then 'protected'
	            else 'made' end as outcome,
	       o.revision, o.document, o.enabled, o.core_only
	  from cur c
	  left join flag.revision o on o.revision = c.revision
), revised as (
	insert into flag.revision (key, document, enabled, core_only, actor, comment, rebucket)
	select $1, coalesce($2, v.document), coalesce($3, v.enabled),
	       case when $2 is null then v.core_only else flag.core_only($2) end, $5, $4, $10 from verdict v, act where v.outcome = 'made'
	returning revision, enabled
), noted as (
	select event.note('flags', null, $7,
	                  jsonb_build_object('key', $1, 'revision', r.revision, 'enabled', r.enabled, 'previous', v.revision,
	                                     'was_enabled', v.enabled, 'document', $2, 'comment', $4)
	                  || case when $10 then '{"rebucket":true}' else '{}' end::jsonb) as seq
	  from revised r, verdict v, act
)
select coalesce((select v.outcome from verdict v), 'missing') as outcome, (select r.revision from revised r) as revision,
       (select r.enabled from revised r) as enabled, (select n.seq from noted n) as event
