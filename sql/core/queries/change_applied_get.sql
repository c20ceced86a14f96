-- change_applied_get.sql — the texts of a change that was applied, to replay it.
-- $1 uuid   request
-- lane slow
-- prepare lazy
-- out kind text, slug text, up text, down text, verify text, package text (hex)
select r.kind, r.slug, r.up, r.down, r.verify, encode(r.package, 'hex') as package from change.request r where r.id = $1
