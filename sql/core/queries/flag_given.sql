-- flag_given.sql — what the flags have given to a person: the first exposure to each, in the order of the flags' keys.
-- $1 uuid   person's id
-- $2 text[] owners whose people may be seen; null: all
-- $3 text   only keys after this one ('' from the start)
-- $4 int    at most so many; one more is read to see whether there are more
-- lane read
-- prepare lazy
-- out body text (json array), has_more bool, next text
-- No row: there is no such person; his pseudonym stays inside. An exposure is found by flag and unit, and flags are few: each is looked up.
with person as (
	select p.pseudonym::text as unit from crm.person p where p.id = $1 and ($2::text[] is null or p.owner = any ($2))
), seen as (
	select f.key, f.kind, f.purpose, f.archived_at is not null as archived, e.variation, e.revision, e.at, v.value
	  from person p
	 cross join flag.flag f
	 cross join lateral (select x.variation, x.revision, x.at from flag.exposure x where x.flag = f.key and x.unit = p.unit) e
	  left join flag.revision r on r.revision = e.revision
	  left join lateral (select d->'value' as value from jsonb_array_elements(r.document->'variations') d where d->>'key' = e.variation
	                      limit 1) v on true
	 where f.key collate "C" > $3 collate "C"
	 order by f.key collate "C"
	 limit $4 + 1
), kept as (
	select * from seen order by key collate "C" limit $4
)
select coalesce((select json_agg(row_to_json(k) order by k.key collate "C") from kept k), '[]'::json)::text as body,
       (select count(*) from seen) > $4 as has_more, (select max(k.key collate "C") from kept k) as next
  from person
