-- people_user_change.sql — what is said of a user.
-- $1 uuid   actor
-- $2 text   request
-- $3 uuid   id
-- $4 bigint the version he must have; null: any
-- $5 jsonb  the members to change
-- lane write
-- prepare lazy
-- out body text, version int
select x.j::text as body, (x.j ->> 'version')::int as version from (select access.user_change($1, $2, $3, $4, $5) as j offset 0) x
