-- flag_schedule_due.sql — the schedule whose time has come first.
-- lane slow
-- prepare lazy
-- out id text
select s.id::text as id from flag.schedule s where s.state = 'waiting' and s.at <= now() order by s.at, s.id limit 1
