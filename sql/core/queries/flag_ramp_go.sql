-- flag_ramp_go.sql — let a ramp do what it has to do; null: nothing, any more.
-- $1 uuid   ramp
-- $2 text   request
-- lane slow
-- prepare lazy
-- out did text
select flag.ramp_go($1, $2) as did
