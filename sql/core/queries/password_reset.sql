-- password_reset.sql — a secret that sets the password of a user once.
-- $1 uuid     user
-- $2 text     SHA-256 of the secret, in hex
-- $3 interval lifetime
-- $4 text     actor
-- $5 text     request
-- lane write
-- out expires text (null: there is no such user)
with act as (
	select set_config('bimodal.actor', $4, true) a, set_config('bimodal.request', $5, true) r
)
select to_json(access.reset_make($1, decode($2, 'hex'), $3)) #>> '{}' from act where act.a is not null
