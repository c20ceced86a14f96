-- session_enter.sql — may a password be tried now, and what is it compared with? Counts the try.
-- $1 text     login
-- $2 text     client address
-- $3 int      tries before the delays begin
-- $4 interval longest delay
-- $5 text     request
-- lane write
-- out retry_s int, principal text, phc text
with act as (
	select set_config('bimodal.actor', 'anonymous', true) a, set_config('bimodal.request', $5, true) r
)
-- The parameter depends on act, so that the actor is set first.
select e.retry_s, e.principal, e.phc from act, access.session_enter(case when act.a is not null then $1 end, $2, $3, $4) e
