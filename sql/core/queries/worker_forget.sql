-- worker_forget.sql — forget workers that have not been heard of for an hour.
-- lane slow
-- prepare lazy
-- out n int
with gone as (
	delete from change.worker w where w.seen_at < now() - interval '1 hour' returning 1
)
select count(*)::int as n from gone
