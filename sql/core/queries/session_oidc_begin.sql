-- session_oidc_begin.sql — a session for somebody whose token of the provider was right, or why there is none.
-- $1 text     issuer
-- $2 text     subject
-- $3 text     login
-- $4 bool     the login is an e-mail address
-- $5 text     e-mail address, proven, or null
-- $6 text     display name, or null
-- $7 text[]   roles by the groups
-- $8 bool     make users who are not known
-- $9 uuid     principal's id if it is new
-- $10 uuid     session
-- $11 text     SHA-256 of the secret, in hex
-- $12 text     client address
-- $13 text     client program
-- $14 interval longest idle time
-- $15 interval lifetime
-- $16 text     SHA-256 of the session that was presented, in hex, or null
-- $17 text     request
-- lane write
-- prepare lazy
-- out expires text, refusal text
with act as (
	select set_config('bimodal.actor', 'system:oidc', true) a, set_config('bimodal.request', $17, true) r
)
-- The parameter depends on act, so that the actor is set first.
select to_json(b.expires) #>> '{}', b.refusal
  from act, access.oidc_begin($1, $2, case when act.a is not null then $3 end, $4, $5, $6, $7, $8, $9, $10, decode($11, 'hex'), $12, $13,
       $14, $15, decode($16, 'hex')) b
