-- people_user_create.sql — a new user or service, with the roles of the body.
-- $1 uuid   actor
-- $2 text   request
-- $3 uuid   id
-- $4 jsonb  the body
-- $5 text[] roles that the actor may give
-- lane write
-- prepare lazy
-- out body text, version int
select x.j::text as body, (x.j ->> 'version')::int as version from (select access.user_create($1, $2, $3, $4, $5) as j offset 0) x
