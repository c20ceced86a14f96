-- people_member_list.sql — who is in a team, in the order of the names.
-- $1 uuid   team
-- $2 text   only names after this one ('' from the start)
-- $3 int    at most so many; one more is read to see whether there are more
-- lane read
-- prepare lazy
-- out body text (json array; null: there is no such team), has_more bool, next text
with page as (
	select p.id, p.name, p.display_name, m.is_lead, m.since, p.disabled_at
	  from access.membership m
	  join access.principal p on p.id = m.principal
	 where m.team = $1 and p.name collate "C" > $2 collate "C"
	 order by p.name collate "C"
	 limit $3 + 1
), kept as (
	select * from page order by name collate "C" limit $3
)
select case when exists (select from access.team t where t.id = $1)
            then coalesce((select json_agg(row_to_json(k) order by k.name collate "C") from kept k), '[]'::json)::text end as body,
       (select count(*) from page) > $3 as has_more, (select max(k.name collate "C") from kept k) as next
