-- person_resolve.sql — the person behind a pseudonym; the look is in the log whether or not there is one.
-- $1 uuid   actor
-- $2 text   request
-- $3 uuid   pseudonym
-- $4 text   reason
-- $5 text[] owners whose people may be found; null: all
-- lane write
-- out id text
with act as (
	select set_config('bimodal.actor', $1::text, true) a, set_config('bimodal.request', $2, true) r
)
select crm.person_resolve($3, $4, $5)::text as id from act where act.a is not null and act.r is not null
