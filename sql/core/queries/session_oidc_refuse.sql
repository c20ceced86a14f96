-- session_oidc_refuse.sql — who came back from the provider was not let in: kept in the log, counted for the address.
-- $1 text     reason
-- $2 text     detail, or null
-- $3 text     client address
-- $4 int      refusals before the delays begin; 0: not counted
-- $5 interval longest delay
-- $6 text     request
-- lane write
-- prepare lazy
with act as (
	select set_config('bimodal.actor', 'anonymous', true) a, set_config('bimodal.request', $6, true) r
)
select access.oidc_refuse($1, $2, $3, $4, $5) from act where act.a is not null
