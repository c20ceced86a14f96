-- flag_schedule_go.sql — do what was planned; null: somebody else has.
-- $1 uuid   schedule
-- $2 text   request
-- lane slow
-- prepare lazy
-- out did text
select flag.schedule_go($1, $2) as did
