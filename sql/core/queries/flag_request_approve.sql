-- flag_request_approve.sql — a second person agrees, and it happens.
-- $1 uuid   actor
-- $2 text   request
-- $3 uuid   the request to change the flag
-- $4 text   hash of what was looked at
-- $5 text   note
-- lane write
-- out key text, revision bigint, enabled bool
select a.key, a.revision, a.enabled from flag.request_approve($1, $2, $3, $4, $5) a
