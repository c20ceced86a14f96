-- feed_slot_asked.sql — the oldest slot of the sandbox that was asked for and is not made yet.
-- lane slow
-- prepare lazy
-- out slot text
select r.slot from change.feed_resync r where r.slot like 'sandbox%' and r.ended_at is null order by r.begun_at limit 1
