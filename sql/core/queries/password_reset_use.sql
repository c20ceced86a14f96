-- password_reset_use.sql — set the password by a secret, which ends with it.
-- $1 text     SHA-256 of the secret, in hex
-- $2 text     PHC string
-- $3 text     request
-- lane write
-- out generation bigint (null: it was used meanwhile)
with act as (
	select set_config('bimodal.request', $3, true) r
)
select access.reset_use(decode($1, 'hex'), $2) from act where act.r is not null
