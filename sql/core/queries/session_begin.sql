-- session_begin.sql — a session for somebody whose password was right.
-- $1 uuid     session
-- $2 uuid     principal
-- $3 text     SHA-256 of the secret, in hex
-- $4 text     client address
-- $5 text     client program
-- $6 interval longest idle time
-- $7 interval lifetime
-- $8 text     SHA-256 of the session that was presented, in hex, or null
-- $9 text     password as stored
-- $10 text    password hashed anew with today's parameters, or null
-- $11 text    request
-- lane write
-- out expires text (null: may not sign in any more)
with act as (
	select set_config('bimodal.actor', $2::text, true) a, set_config('bimodal.request', $11, true) r
)
select to_json(access.session_begin($1, $2, decode($3, 'hex'), 'password', $4, $5, $6, $7, decode($8, 'hex'), $9, $10)) #>> '{}'
  from act where act.a is not null
