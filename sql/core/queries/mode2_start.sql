-- mode2_start.sql — what the stop turned off is on again.
-- $1 uuid  actor
-- $2 text  request
-- $3 text  reason
-- lane write
-- out body text (json object; null: it was not stopped)
select flag.mode2_start($1, $2, $3)::text as body
