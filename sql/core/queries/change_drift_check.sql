-- change_drift_check.sql — compare the catalog with the accepted one and keep what differs.
-- lane slow
-- prepare lazy
-- out drift jsonb (null: nothing)
select change.drift_check()
