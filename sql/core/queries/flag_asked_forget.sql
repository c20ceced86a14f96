-- flag_asked_forget.sql — forget old counts, and streams of workers that are long gone.
-- $1 bigint  seconds that counts are kept
-- lane slow
-- prepare lazy
-- out n int
with old as (
	delete from flag.asked a where a.day < ((now() - $1 * interval '1 second') at time zone 'UTC')::date returning 1
), gone as (
	delete from flag.stream s where s.seen_at < now() - interval '1 hour' returning 1
)
select ((select count(*) from old) + (select count(*) from gone))::int as n
