-- mode2_stop.sql — every experiment off, in one transaction and one generation.
-- $1 uuid  actor
-- $2 text  request
-- $3 text  reason
-- lane write
-- out changed bool
select flag.mode2_stop($1, $2, $3) as changed
