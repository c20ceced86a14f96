-- admin_make.sql — an operator with a one-time secret that sets his password. Run by the executor's login.
-- $1 uuid     principal's id if it is new
-- $2 text     login
-- $3 text     SHA-256 of the secret, in hex
-- $4 interval lifetime of the secret
-- $5 bool     although there is an operator already who can sign in
-- lane slow
-- prepare lazy
-- out expires text
with act as (
	select set_config('bimodal.actor', 'installation', true) a, set_config('bimodal.request', 'create-admin', true) r
)
select to_json(access.admin_make($1, $2, decode($3, 'hex'), $4, $5)) #>> '{}' from act where act.a is not null
