-- feed_slot_answer.sql — has the slot that was asked for been made?
-- $1 text   slot
-- lane read
-- out is_ended bool, error text
select r.ended_at is not null, r.error from change.feed_resync r where r.slot = $1
