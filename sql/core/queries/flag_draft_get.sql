-- flag_draft_get.sql — the draft of a flag.
-- $1 text   key
-- lane read
-- out body text (json object; null: there is none)
-- No row: there is no such flag.
select (select row_to_json(x)::text from (select d.key, d.document, d.base, f.revision as current, d.author,
               access.name_of(d.author) as author_name, d.at, d.comment from flag.draft d where d.key = f.key) x) as body
  from flag.flag f
 where f.key = $1
