-- people_team_list.sql — teams in the order of their slugs.
-- $1 text   only slugs after this one ('' from the start)
-- $2 bool   archived ones too
-- $3 uuid   those directly below this one, or null
-- $4 text   exactly this slug, or null
-- $5 int    at most so many; one more is read to see whether there are more
-- lane read
-- prepare lazy
-- out body text (json array), has_more bool, next text
with page as (
	select t.id, t.slug from access.team t
	 where t.slug collate "C" > $1 collate "C" and ($2 or t.archived_at is null) and ($3 is null or t.parent = $3)
	   and ($4 is null or t.slug = $4)
	 order by t.slug collate "C"
	 limit $5 + 1
), kept as (
	select * from page order by slug collate "C" limit $5
)
select coalesce((select json_agg(access.team_json(k.id) order by k.slug collate "C") from kept k), '[]'::json)::text as body,
       (select count(*) from page) > $5 as has_more, (select max(k.slug collate "C") from kept k) as next
