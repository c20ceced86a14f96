-- people_token_target.sql — whose token it is or is to be, and what that one may: asked before a token is shown or made.
-- $1 uuid   token, or null
-- $2 uuid   principal, if there is no token yet
-- $3 uuid   actor
-- lane read
-- prepare lazy
-- out principal text, kind text, roles text (comma separated), scopes text (comma separated, null: all), audience text, mine bool, token text (json)
select p.id::text as principal, p.kind, array_to_string(array(select g.role from access.role_grant g where g.principal = p.id), ',') as roles,
       array_to_string(t.scopes, ',') as scopes, t.audience, coalesce($3 in (p.id, p.business_owner, p.technical_owner), false) as mine,
       access.token_json(t.id)::text as token
  from (select $1 as token, $2 as principal) a
  left join access.token t on t.id = a.token
  join access.principal p on p.id = coalesce(t.principal, a.principal)
