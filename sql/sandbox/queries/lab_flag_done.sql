-- lab_flag_done.sql — core has done to the flag what was wanted.
-- $1 text   slug
-- $2 text   state
-- $3 bigint revision
-- lane slow
-- prepare lazy
select lab.flag_done($1, $2, $3)
