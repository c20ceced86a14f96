-- flag_request_get.sql — one request, and what the guard needs of it.
-- $1 uuid   id
-- lane read
-- out body text (json object), key text, state text, document text, rebucket bool, sha256 text
select flag.request_json(r.id)::text as body, r.key, r.state, r.document::text as document, r.rebucket, r.sha256
  from flag.request r where r.id = $1
