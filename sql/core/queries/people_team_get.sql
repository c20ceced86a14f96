-- people_team_get.sql — one team.
-- $1 uuid   id
-- lane read
-- prepare lazy
-- out body text, version int
select access.team_json(t.id)::text as body, t.version from access.team t where t.id = $1
