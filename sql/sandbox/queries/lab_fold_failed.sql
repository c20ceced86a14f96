-- lab_fold_failed.sql — a metric's query failed; the experiment rests a little and is tried again.
-- $1 text slug
-- $2 text why
-- lane slow
-- prepare lazy
update lab.experiment set fold_error = $2, fold_retry_at = clock_timestamp() + interval '5 seconds' where slug = $1
