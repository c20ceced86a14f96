-- session_identity_forget.sql — the provider's word for who this user is does not count any more.
-- $1 uuid actor
-- $2 text request
-- $3 uuid principal
-- lane write
-- prepare lazy
-- out forgotten int
select access.identity_forget($1, $2, $3)
