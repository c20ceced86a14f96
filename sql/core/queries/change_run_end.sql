-- change_run_end.sql — the order is done.
-- $1 bigint   intent
-- lane slow
-- prepare lazy
select change.run_end($1)
