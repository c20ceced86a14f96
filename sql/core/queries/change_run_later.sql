-- change_run_later.sql — the order goes on at the same phase in a second.
-- $1 bigint   intent
-- $2 text     what it waits for
-- lane slow
-- prepare lazy
select change.run_later($1, $2)
