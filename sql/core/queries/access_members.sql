-- access_members.sql — who is in which live team, for a worker's snapshot. Those who have left stay: what they own is still the team's.
-- lane read
-- out team text, principal text, name text, generation bigint
select m.team::text, m.principal::text, p.name, g.generation
  from (select generation from access.state) g
  left join (access.membership m
             join access.team t on t.id = m.team and t.archived_at is null
             join access.principal p on p.id = m.principal) on true
 order by m.team, p.name
