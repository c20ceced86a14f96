-- session_token.sql — a token of the sandbox in exchange for this session.
-- $1 uuid     token
-- $2 uuid     session
-- $3 uuid     principal
-- $4 text     SHA-256 of the token, in hex
-- $5 text     visible prefix
-- $6 interval lifetime
-- $7 text     request
-- lane write
-- out expires text (null: the session has ended)
with act as (
	select set_config('bimodal.actor', $3::text, true) a, set_config('bimodal.request', $7, true) r
)
select to_json(access.session_token($1, $2, $3, decode($4, 'hex'), $5, $6)) #>> '{}' from act where act.a is not null
