-- flag_ramp_get.sql — one ramp of a flag.
-- $1 text   key
-- $2 uuid   ramp
-- lane read
-- out body text (json object)
select flag.ramp_json(r)::text as body from flag.ramp r where r.flag = $1 and r.id = $2
