-- people_user_roles.sql — the roles of a principal are these.
-- $1 uuid   actor
-- $2 text   request
-- $3 uuid   id
-- $4 text[] roles
-- $5 text[] roles that the actor may give and take
-- lane write
-- prepare lazy
-- out body text, version int
select x.j::text as body, (x.j ->> 'version')::int as version from (select access.user_roles($1, $2, $3, $4, $5) as j offset 0) x
