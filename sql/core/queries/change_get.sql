-- change_get.sql — one change request with its report, approvals and latest order.
-- $1 uuid   request
-- lane read
-- out body json (null: there is none)
select change.request_json($1)
