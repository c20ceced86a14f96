-- flag_schedule_get.sql — one schedule of a flag.
-- $1 text   key
-- $2 uuid   schedule
-- lane read
-- out body text (json object)
select flag.schedule_json(s)::text as body from flag.schedule s where s.flag = $1 and s.id = $2
