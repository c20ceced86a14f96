-- people_user_get.sql — one user or service.
-- $1 uuid   id
-- $2 bool   with the private part
-- lane read
-- prepare lazy
-- out body text, version int
select access.user_json(p.id, $2)::text as body, p.version from access.principal p where p.id = $1
