-- session_oidc_enter.sql — somebody comes back from the provider: may he try, and is it the first time for this flow?
-- $1 text     SHA-256 of the flow, in hex, or null
-- $2 interval lifetime of a flow
-- $3 text     client address
-- lane write
-- prepare lazy
-- out retry_s int, fresh bool
select e.retry_s, e.fresh from access.oidc_enter(decode($1, 'hex'), $2, $3) e
