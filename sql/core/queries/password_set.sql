-- password_set.sql — a new password; every other session of its owner ends.
-- $1 uuid   principal
-- $2 text   PHC string
-- $3 uuid   session that stays, or null
-- $4 text   request
-- lane write
-- out generation bigint
with act as (
	select set_config('bimodal.actor', $1::text, true) a, set_config('bimodal.request', $4, true) r
)
select access.password_set($1, $2, $3) from act where act.a is not null
