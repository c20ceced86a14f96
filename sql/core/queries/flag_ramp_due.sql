-- flag_ramp_due.sql — the next ramp that has something to do by itself.
-- $1 uuid   only those after this one
-- lane slow
-- prepare lazy
-- out id text
select r.id::text as id from flag.ramp r where r.state = 'running' and r.id > $1 and flag.ramp_wants(r) is not null order by r.id limit 1
