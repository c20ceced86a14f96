-- record_idempotency_get.sql — the stored reply of an idempotency key.
-- $1 text    principal
-- $2 text    route
-- $3 text    key
-- $4 bytea   fingerprint of the request at hand
-- lane read
-- out same bool, status int, etag text, location text, body text
select i.fingerprint = $4 as same, i.status, i.etag, i.location, i.body
  from event.idempotency i
 where i.principal = $1 and i.route = $2 and i.key = $3
