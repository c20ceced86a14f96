-- flag_protect.sql — a flag changes only by two people from now on.
-- $1 uuid   actor
-- $2 text   request
-- $3 text   key
-- lane write
-- out outcome text (made, missing, archived)
select flag.protect($1, $2, $3) as outcome
