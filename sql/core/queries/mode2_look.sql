-- mode2_look.sql — is Mode 2 stopped, for the job that shows it.
-- lane slow
-- prepare lazy
-- out stopped bool
select m.stopped_at is not null as stopped from flag.mode2 m
