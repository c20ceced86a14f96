-- people_team_create.sql — a new team.
-- $1 uuid   actor
-- $2 text   request
-- $3 uuid   id
-- $4 jsonb  the body
-- lane write
-- prepare lazy
-- out body text, version int
select x.j::text as body, (x.j ->> 'version')::int as version from (select access.team_create($1, $2, $3, $4) as j offset 0) x
