-- people_team_member.sql — somebody is a member of a team, or its lead, or no longer.
-- $1 uuid   actor
-- $2 text   request
-- $3 uuid   team
-- $4 uuid   principal
-- $5 bool   lead; null: out of the team
-- lane write
-- prepare lazy
-- out body text, version int
select x.j::text as body, (x.j ->> 'version')::int as version from (select access.team_member($1, $2, $3, $4, $5) as j offset 0) x
