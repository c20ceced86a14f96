-- flag_request_end.sql — a request is rejected by somebody else, or withdrawn by its author.
-- $1 uuid   actor
-- $2 text   request
-- $3 uuid   the request to change the flag
-- $4 text   rejected or withdrawn
-- $5 text   why
-- lane write
-- out body text (json object)
select flag.request_end($1, $2, $3, $4, $5)::text as body
