-- people_token_revoke.sql — end a token.
-- $1 uuid   actor
-- $2 text   request
-- $3 uuid   id
-- $4 bool   anybody's; else his own and those of his services
-- lane write
-- prepare lazy
-- out body text, version int
select x.j::text as body, (x.j ->> 'version')::int as version from (select access.token_revoke($1, $2, $3, $4) as j offset 0) x
