-- feed_resync_begin.sql — a subscription begins anew; stands in the ledger once.
-- $1 text   slot
-- $2 text   reason
-- lane slow
-- prepare lazy
-- out is_new bool
select change.feed_resync_begin($1, $2)
