-- feed_resync_end.sql — the slot has been made, or its subscription copied anew.
-- $1 text   slot
-- $2 text   error, or null
-- lane slow
-- prepare lazy
-- out is_ended bool
select change.feed_resync_end($1, $2)
