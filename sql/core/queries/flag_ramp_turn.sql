-- flag_ramp_turn.sql — hold, resume, approve, back, cancel. What it is then is read by another statement.
-- $1 text   key
-- $2 uuid   ramp
-- $3 text   what
-- $4 text   reason or comment
-- $5 uuid   actor
-- $6 text   request
-- lane write
-- out id text
select $2::text as id from flag.ramp_turn($1, $2, $3, $4, $5, $6)
