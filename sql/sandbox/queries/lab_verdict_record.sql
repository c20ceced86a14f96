-- lab_verdict_record.sql — hand the computed verdict over.
-- $1 text  slug
-- $2 text  verdict
-- $3 jsonb reasons
-- $4 text  evidence (json)
-- $5 text  why the experiment ended
-- lane slow
-- prepare lazy
-- out recorded bool
select lab.verdict_record($1, $2, $3, $4, $5) as recorded
