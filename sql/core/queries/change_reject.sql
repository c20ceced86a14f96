-- change_reject.sql — a request that will not be applied.
-- $1 uuid   request
-- $2 uuid   who
-- $3 text   note
-- lane write
select change.request_reject($1, $2, $3)
