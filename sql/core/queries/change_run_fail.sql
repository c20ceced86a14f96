-- change_run_fail.sql — the order has failed.
-- $1 bigint   intent
-- $2 text     why
-- $3 bool     only locks were missing: the approval stands
-- lane slow
-- prepare lazy
select change.run_fail($1, $2, $3)
