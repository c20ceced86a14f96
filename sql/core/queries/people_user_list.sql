-- people_user_list.sql — users and services in the order of their names.
-- $1 text   only names after this one ('' from the start)
-- $2 text   kind, or null for both
-- $3 text   active, disabled, or null for both
-- $4 text   a part of name, display name (or e-mail), or null
-- $5 text   exactly this name, or null
-- $6 uuid   members of this team, or null
-- $7 bool   the private part may be shown and searched
-- $8 int    at most so many; one more is read to see whether there are more
-- lane read
-- prepare lazy
-- out body text (json array), has_more bool, next text
with page as (
	select p.id, p.name
	  from access.principal p
	 where p.name collate "C" > $1 collate "C" and ($2 is null or p.kind = $2) and ($3 is null or (p.disabled_at is null) = ($3 = 'active'))
	   and ($5 is null or p.name = $5)
	   and ($6 is null or exists (select from access.membership m where m.principal = p.id and m.team = $6))
	   and ($4 is null or position(lower($4) in lower(p.name)) > 0 or position(lower($4) in lower(p.display_name)) > 0
	        or ($7 and position(lower($4) in lower(p.email)) > 0))
	 order by p.name collate "C"
	 limit $8 + 1
), kept as (
	select * from page order by name collate "C" limit $8
)
select coalesce((select json_agg(access.user_json(k.id, $7) order by k.name collate "C") from kept k), '[]'::json)::text as body,
       (select count(*) from page) > $8 as has_more, (select max(k.name collate "C") from kept k) as next
