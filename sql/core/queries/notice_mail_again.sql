-- notice_mail_again.sql — a dead e-mail is tried again.
-- $1 uuid   message
-- $2 uuid   actor
-- $3 text   request
-- lane write
-- out found bool
with act as materialized (
	select set_config('bimodal.actor', $2::text, true) a, set_config('bimodal.request', $3, true) r
)
select notice.mail_again($1) from act where a is not null
