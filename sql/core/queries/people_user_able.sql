-- people_user_able.sql — disable or enable a principal.
-- $1 uuid   actor
-- $2 text   request
-- $3 uuid   id
-- $4 bool   enable
-- lane write
-- prepare lazy
-- out body text, version int
select x.j::text as body, (x.j ->> 'version')::int as version from (select access.user_able($1, $2, $3, $4) as j offset 0) x
