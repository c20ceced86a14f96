-- flag_guard.sql — what the guard of divisions looks at: the present rules, those of the draft, and whether anybody was divided.
-- $1 text   key
-- lane read
-- out revision bigint, document text, draft text (null: none), draft_hash text, divided bool
-- No row: there is no such flag, or it was archived.
select f.revision, r.document::text as document, d.document::text as draft,
       encode(sha256(convert_to(d.document::text, 'UTF8')), 'hex') as draft_hash,
       exists (select from flag.exposure e where e.flag = f.key) as divided
  from flag.flag f
  left join flag.revision r on r.revision = f.revision
  left join flag.draft d on d.key = f.key
 where f.key = $1 and f.archived_at is null
