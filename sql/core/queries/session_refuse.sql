-- session_refuse.sql — a sign-in was refused: counted for the address, kept in the log.
-- $1 text     login
-- $2 uuid     principal, or null: there is none
-- $3 text     client address
-- $4 int      refusals before the delays begin; 0: never
-- $5 interval longest delay
-- $6 text     request
-- lane write
with act as (
	select set_config('bimodal.actor', 'anonymous', true) a, set_config('bimodal.request', $6, true) r
)
select access.session_refuse($1, $2, $3, $4, $5) from act where act.a is not null
