-- change_approve.sql — approve the bytes that were shown.
-- $1 uuid   request
-- $2 uuid   who
-- $3 text   SHA-256 that was shown; null: the present one
-- $4 text   note
-- lane write
select change.request_approve($1, $2, $3, $4)
