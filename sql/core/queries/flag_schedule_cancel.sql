-- flag_schedule_cancel.sql — call a schedule off.
-- $1 text   key
-- $2 uuid   schedule
-- $3 uuid   actor
-- $4 text   request
-- lane write
-- out id text
select $2::text as id from flag.schedule_cancel($1, $2, $3, $4)
