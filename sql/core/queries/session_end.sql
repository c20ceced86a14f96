-- session_end.sql — end one session, or all of a principal.
-- $1 uuid   session; null: all of …
-- $2 uuid   … this principal
-- $3 uuid   but not this one, or null
-- $4 bool   may end those of others
-- $5 text   session.end (signed out) or session.revoke
-- $6 text   actor
-- $7 text   request
-- lane write
-- out ended int, generation bigint
with act as (
	select set_config('bimodal.actor', $6, true) a, set_config('bimodal.request', $7, true) r
)
-- The parameter depends on act, so that the actor is set first.
select e.ended, e.generation from act, access.session_end($1, $2, $3, $4, case when act.a is not null then $5 end) e
